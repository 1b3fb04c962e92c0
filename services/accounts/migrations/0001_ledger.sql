-- Ledgers, accounts, transfers, holds and declines.
--
-- ledger_id is part of every key, so that the tables can be distributed by ledger; it comes after the id, so that no plan
-- finds a single row by way of its whole ledger, whatever the statistics say. What the C code guarantees about money
-- stands here a second time, as constraints. The service appends transfers and declines, and can neither change nor delete
-- them; of accounts and holds it changes the running columns alone. Nothing is ever deleted.

CREATE TABLE ledgers (
	ledger_id uuid NOT NULL,
	name text NOT NULL,
	created timestamptz NOT NULL,
	-- A batch of postings locks its ledger's row, and PostgreSQL asks for the right to update some column of what is to be
	-- locked. This is that column; until ledgers can be changed, the CHECK leaves nothing to change.
	version bigint NOT NULL DEFAULT 1,
	CONSTRAINT ledgers_pkey PRIMARY KEY (ledger_id),
	CONSTRAINT ledgers_name CHECK (char_length(name) BETWEEN 1 AND 128),
	CONSTRAINT ledgers_version CHECK (version = 1)
);

-- normal_side: 1 debit (balance = debits - credits), 2 credit (balance = credits - debits).
CREATE TABLE accounts (
	ledger_id uuid NOT NULL,
	account_id uuid NOT NULL,
	debits_posted_minor bigint NOT NULL DEFAULT 0,
	credits_posted_minor bigint NOT NULL DEFAULT 0,
	debits_pending_minor bigint NOT NULL DEFAULT 0,
	credits_pending_minor bigint NOT NULL DEFAULT 0,
	sequence bigint NOT NULL DEFAULT 0,
	lower_limit_minor bigint,
	upper_limit_minor bigint,
	version bigint NOT NULL DEFAULT 1,
	created timestamptz NOT NULL,
	normal_side smallint NOT NULL,
	currency text NOT NULL,
	owner text NOT NULL,
	label text NOT NULL,
	-- Of what it was created with, so that a repeated creation is known as one also when the account has changed since.
	creation_hash bytea NOT NULL,
	CONSTRAINT accounts_pkey PRIMARY KEY (account_id, ledger_id),
	CONSTRAINT accounts_ledger_exists FOREIGN KEY (ledger_id) REFERENCES ledgers (ledger_id),
	CONSTRAINT accounts_normal_side CHECK (normal_side IN (1, 2)),
	CONSTRAINT accounts_currency CHECK (currency ~ '^[A-Z]{3}$'),
	CONSTRAINT accounts_owner CHECK (char_length(owner) BETWEEN 1 AND 128),
	CONSTRAINT accounts_label CHECK (char_length(label) <= 128),
	CONSTRAINT accounts_version CHECK (version >= 1),
	CONSTRAINT accounts_sequence CHECK (sequence >= 0),
	CONSTRAINT accounts_creation_hash CHECK (octet_length(creation_hash) = 16),
	CONSTRAINT accounts_totals CHECK (
		debits_posted_minor >= 0 AND credits_posted_minor >= 0
		AND debits_pending_minor >= 0 AND credits_pending_minor >= 0
		AND debits_pending_minor <= 9223372036854775807 - debits_posted_minor
		AND credits_pending_minor <= 9223372036854775807 - credits_posted_minor),
	CONSTRAINT accounts_limits CHECK (lower_limit_minor <= upper_limit_minor),
	-- What is available, with every hold that takes away counted as taken.
	CONSTRAINT accounts_lower_limit CHECK (lower_limit_minor <= CASE normal_side
		WHEN 1 THEN debits_posted_minor - (credits_posted_minor + credits_pending_minor)
		ELSE credits_posted_minor - (debits_posted_minor + debits_pending_minor) END),
	-- What could become available, with every hold that adds counted as added.
	CONSTRAINT accounts_upper_limit CHECK (upper_limit_minor >= CASE normal_side
		WHEN 1 THEN (debits_posted_minor + debits_pending_minor) - credits_posted_minor
		ELSE (credits_posted_minor + credits_pending_minor) - debits_posted_minor END)
) WITH (fillfactor = 60);

-- For reading a whole ledger. The condition holds for every row; only a query that states it is planned by this index, so
-- that no other finds a few accounts by way of all.
CREATE INDEX accounts_by_ledger ON accounts (ledger_id, account_id) WHERE version >= 1;
CREATE INDEX accounts_by_owner ON accounts (owner, ledger_id, account_id);

-- kind: 1 direct, 2 hold, 3 capture, 4 release. One row carries both sides, with each account as it was right after it.
CREATE TABLE transfers (
	ledger_id uuid NOT NULL,
	transfer_id uuid NOT NULL,
	group_id uuid NOT NULL,
	debit_account_id uuid NOT NULL,
	credit_account_id uuid NOT NULL,
	amount_minor bigint NOT NULL,
	created timestamptz NOT NULL,
	debit_sequence bigint NOT NULL,
	debit_debits_posted_minor bigint NOT NULL,
	debit_credits_posted_minor bigint NOT NULL,
	debit_debits_pending_minor bigint NOT NULL,
	debit_credits_pending_minor bigint NOT NULL,
	credit_sequence bigint NOT NULL,
	credit_debits_posted_minor bigint NOT NULL,
	credit_credits_posted_minor bigint NOT NULL,
	credit_debits_pending_minor bigint NOT NULL,
	credit_credits_pending_minor bigint NOT NULL,
	hold_id uuid,
	group_position smallint NOT NULL,
	group_size smallint NOT NULL,
	kind smallint NOT NULL,
	group_hash bytea NOT NULL,
	currency text NOT NULL,
	reference text NOT NULL,
	CONSTRAINT transfers_pkey PRIMARY KEY (transfer_id, ledger_id),
	CONSTRAINT transfers_debit_sequence UNIQUE (debit_account_id, ledger_id, debit_sequence),
	CONSTRAINT transfers_credit_sequence UNIQUE (credit_account_id, ledger_id, credit_sequence),
	CONSTRAINT transfers_accounts CHECK (debit_account_id <> credit_account_id),
	CONSTRAINT transfers_kind CHECK (kind BETWEEN 1 AND 4),
	CONSTRAINT transfers_amount CHECK (CASE kind WHEN 4 THEN amount_minor = 0 ELSE amount_minor > 0 END),
	CONSTRAINT transfers_hold CHECK ((kind IN (3, 4)) = (hold_id IS NOT NULL)),
	CONSTRAINT transfers_group CHECK (group_size BETWEEN 1 AND 100 AND group_position >= 0
		AND group_position < group_size AND (group_position = 0) = (group_id = transfer_id)),
	CONSTRAINT transfers_group_hash CHECK (octet_length(group_hash) = 16),
	CONSTRAINT transfers_currency CHECK (currency ~ '^[A-Z]{3}$'),
	CONSTRAINT transfers_reference CHECK (char_length(reference) <= 128),
	CONSTRAINT transfers_debit_side CHECK (debit_sequence > 0
		AND debit_debits_posted_minor >= 0 AND debit_credits_posted_minor >= 0
		AND debit_debits_pending_minor >= 0 AND debit_credits_pending_minor >= 0),
	CONSTRAINT transfers_credit_side CHECK (credit_sequence > 0
		AND credit_debits_posted_minor >= 0 AND credit_credits_posted_minor >= 0
		AND credit_debits_pending_minor >= 0 AND credit_credits_pending_minor >= 0)
);

-- state: 1 pending, 2 captured, 3 released. What became of a hold; the transfers that made and ended it tell the rest.
CREATE TABLE holds (
	ledger_id uuid NOT NULL,
	hold_id uuid NOT NULL,
	debit_account_id uuid NOT NULL,
	credit_account_id uuid NOT NULL,
	amount_minor bigint NOT NULL,
	captured_minor bigint NOT NULL,
	state smallint NOT NULL,
	CONSTRAINT holds_pkey PRIMARY KEY (hold_id, ledger_id),
	CONSTRAINT holds_accounts CHECK (debit_account_id <> credit_account_id),
	CONSTRAINT holds_amount CHECK (amount_minor > 0),
	CONSTRAINT holds_captured CHECK (captured_minor BETWEEN 0 AND amount_minor),
	CONSTRAINT holds_state CHECK (CASE state WHEN 1 THEN captured_minor = 0 WHEN 2 THEN captured_minor > 0
		WHEN 3 THEN captured_minor = 0 ELSE false END)
) WITH (fillfactor = 80);

-- A row for each transfer of a group that was declined: its outcome, and the reason why its ids are never used again.
CREATE TABLE declines (
	ledger_id uuid NOT NULL,
	transfer_id uuid NOT NULL,
	group_id uuid NOT NULL,
	cause_id uuid NOT NULL,
	created timestamptz NOT NULL,
	reason text NOT NULL,
	group_hash bytea NOT NULL,
	CONSTRAINT declines_pkey PRIMARY KEY (transfer_id, ledger_id),
	CONSTRAINT declines_reason CHECK (reason IN ('INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED', 'ACCOUNT_NOT_FOUND',
		'CURRENCY_MISMATCH', 'HOLD_NOT_FOUND', 'HOLD_MISMATCH', 'ALREADY_CAPTURED', 'ALREADY_RELEASED',
		'CAPTURE_EXCEEDS_HOLD', 'BALANCE_OVERFLOW')),
	CONSTRAINT declines_group_hash CHECK (octet_length(group_hash) = 16)
);

GRANT SELECT, INSERT (ledger_id, name, created), UPDATE (version) ON ledgers TO :runtime_role;
GRANT SELECT, INSERT (ledger_id, account_id, lower_limit_minor, upper_limit_minor, created, normal_side, currency, owner,
	label, creation_hash) ON accounts TO :runtime_role;
GRANT UPDATE (debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor, sequence)
	ON accounts TO :runtime_role;
GRANT SELECT, INSERT ON transfers, declines TO :runtime_role;
GRANT SELECT, INSERT, UPDATE (captured_minor, state) ON holds TO :runtime_role;
