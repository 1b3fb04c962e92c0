-- Who changed what about an account, and when; appended in the transaction that changes it.
--
-- sequence is the account's last entry when the change was made: entries up to it were decided under the old values, those
-- after it under the new ones. change_hash tells a repeated change from another one under the same expected version.
CREATE TABLE account_changes (
	ledger_id uuid NOT NULL,
	account_id uuid NOT NULL,
	version bigint NOT NULL,
	sequence bigint NOT NULL,
	created timestamptz NOT NULL,
	user_id uuid,
	identity text NOT NULL,
	change_hash bytea NOT NULL,
	old_status smallint NOT NULL,
	new_status smallint NOT NULL,
	old_lower_limit_minor bigint,
	new_lower_limit_minor bigint,
	old_upper_limit_minor bigint,
	new_upper_limit_minor bigint,
	old_credit_line_minor bigint NOT NULL,
	new_credit_line_minor bigint NOT NULL,
	old_label text NOT NULL,
	new_label text NOT NULL,
	CONSTRAINT account_changes_pkey PRIMARY KEY (account_id, ledger_id, version),
	CONSTRAINT account_changes_account_exists FOREIGN KEY (account_id, ledger_id)
		REFERENCES accounts (account_id, ledger_id),
	CONSTRAINT account_changes_version CHECK (version >= 2),
	CONSTRAINT account_changes_sequence CHECK (sequence >= 0),
	CONSTRAINT account_changes_hash CHECK (octet_length(change_hash) = 16),
	-- Closed is for ever.
	CONSTRAINT account_changes_status CHECK (old_status BETWEEN 1 AND 3 AND new_status BETWEEN 1 AND 4)
);

GRANT SELECT, INSERT ON account_changes TO :runtime_role;
