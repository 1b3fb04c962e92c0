-- Statuses, credit lines, assets, holds that expire and are captured in parts, balancing transfers and reversals.

-- A table's CHECKs are parsed anew by each statement that writes to it, whatever columns it writes: with one transfer in a
-- batch that was most of what the batch cost. So what is said of one column alone is said by the column's type, which
-- PostgreSQL reads once a session, and asks only when the column is written; and CHECKs, of several columns, are short.
-- Figures: docs/decisions/0015-what-a-batch-costs.md.
CREATE DOMAIN money_total AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN entry_number AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN normal_side AS smallint CHECK (VALUE IN (1, 2));
CREATE DOMAIN account_status AS smallint CHECK (VALUE BETWEEN 1 AND 4);
CREATE DOMAIN transfer_kind AS smallint CHECK (VALUE BETWEEN 1 AND 7);
CREATE DOMAIN group_size AS smallint CHECK (VALUE BETWEEN 1 AND 100);
CREATE DOMAIN group_position AS smallint CHECK (VALUE >= 0);
CREATE DOMAIN row_version AS bigint CHECK (VALUE >= 1);
CREATE DOMAIN content_hash AS bytea CHECK (octet_length(VALUE) = 16);
CREATE DOMAIN currency_code AS text CHECK (VALUE ~ '^[A-Z][A-Z0-9]{2,11}$');
CREATE DOMAIN owner_name AS text CHECK (char_length(VALUE) BETWEEN 1 AND 128);
CREATE DOMAIN short_text AS text CHECK (char_length(VALUE) <= 128);

-- status: 1 active, 2 frozen, 3 blocked, 4 closed. last_entry is when the account's last entry was made, null before the
-- first: entries of one account never go back in time, whatever the clocks of replicas say, so that a moment can be found
-- among them by their sequence.
ALTER TABLE accounts
	ADD COLUMN status account_status NOT NULL DEFAULT 1,
	ADD COLUMN credit_line_minor money_total NOT NULL DEFAULT 0,
	ADD COLUMN last_entry timestamptz,
	DROP CONSTRAINT accounts_normal_side,
	DROP CONSTRAINT accounts_currency,
	DROP CONSTRAINT accounts_owner,
	DROP CONSTRAINT accounts_label,
	DROP CONSTRAINT accounts_version,
	DROP CONSTRAINT accounts_sequence,
	DROP CONSTRAINT accounts_creation_hash,
	DROP CONSTRAINT accounts_totals,
	DROP CONSTRAINT accounts_lower_limit,
	ALTER COLUMN debits_posted_minor TYPE money_total,
	ALTER COLUMN credits_posted_minor TYPE money_total,
	ALTER COLUMN debits_pending_minor TYPE money_total,
	ALTER COLUMN credits_pending_minor TYPE money_total,
	ALTER COLUMN sequence TYPE entry_number,
	ALTER COLUMN version TYPE row_version,
	ALTER COLUMN normal_side TYPE normal_side,
	ALTER COLUMN currency TYPE currency_code,
	ALTER COLUMN owner TYPE owner_name,
	ALTER COLUMN label TYPE short_text,
	ALTER COLUMN creation_hash TYPE content_hash,
	ADD CONSTRAINT accounts_totals CHECK (debits_pending_minor <= 9223372036854775807 - debits_posted_minor
		AND credits_pending_minor <= 9223372036854775807 - credits_posted_minor),
	ADD CONSTRAINT accounts_closed CHECK (status <> 4 OR (debits_posted_minor = credits_posted_minor
		AND debits_pending_minor + credits_pending_minor = 0)),
	-- What is available, with every hold that takes away counted as taken. A limit that the line would take out of a
	-- bigint's range is refused by the subtraction itself.
	ADD CONSTRAINT accounts_lower_limit CHECK (lower_limit_minor - credit_line_minor <= CASE normal_side
		WHEN 1 THEN debits_posted_minor - (credits_posted_minor + credits_pending_minor)
		ELSE credits_posted_minor - (debits_posted_minor + debits_pending_minor) END);

CREATE INDEX accounts_by_label ON accounts (label, ledger_id, account_id) WHERE label <> '';

-- An account that existed already was last posted to when the last of its transfers was made.
UPDATE accounts AS a SET last_entry = (
	SELECT max(t.created) FROM transfers AS t
	WHERE t.ledger_id = a.ledger_id AND a.account_id IN (t.debit_account_id, t.credit_account_id))
WHERE a.sequence > 0;

-- Assets that ISO 4217 does not know, a ledger's own.
CREATE TABLE assets (
	ledger_id uuid NOT NULL,
	code currency_code NOT NULL,
	exponent smallint NOT NULL,
	created timestamptz NOT NULL,
	CONSTRAINT assets_pkey PRIMARY KEY (ledger_id, code),
	CONSTRAINT assets_ledger_exists FOREIGN KEY (ledger_id) REFERENCES ledgers (ledger_id),
	CONSTRAINT assets_exponent CHECK (exponent BETWEEN 0 AND 18)
);

-- kind: 1 direct, 2 hold, 3 capture, 4 release, 5 balancing, 6 reversal, 7 expiry: the ledger's own, of a hold whose time has
-- come. amount_minor is what was asked for; moved_minor what moved, was set aside or was released. target_id is the hold
-- that a capture, a release or an expiry takes from, and the original that a reversal moves back. expires is a hold's.
ALTER TABLE transfers RENAME COLUMN hold_id TO target_id;
ALTER TABLE transfers
	ADD COLUMN moved_minor bigint,
	ADD COLUMN expires timestamptz,
	ADD COLUMN keep_open boolean NOT NULL DEFAULT false;
UPDATE transfers SET moved_minor = amount_minor WHERE kind <> 4;
UPDATE transfers AS t SET moved_minor = h.amount_minor FROM holds AS h
	WHERE t.kind = 4 AND h.ledger_id = t.ledger_id AND h.hold_id = t.target_id;
ALTER TABLE transfers
	DROP CONSTRAINT transfers_kind,
	DROP CONSTRAINT transfers_amount,
	DROP CONSTRAINT transfers_hold,
	DROP CONSTRAINT transfers_group,
	DROP CONSTRAINT transfers_group_hash,
	DROP CONSTRAINT transfers_currency,
	DROP CONSTRAINT transfers_reference,
	DROP CONSTRAINT transfers_debit_side,
	DROP CONSTRAINT transfers_credit_side,
	ALTER COLUMN moved_minor SET NOT NULL,
	ALTER COLUMN kind TYPE transfer_kind,
	ALTER COLUMN group_size TYPE group_size,
	ALTER COLUMN group_position TYPE group_position,
	ALTER COLUMN group_hash TYPE content_hash,
	ALTER COLUMN reference TYPE short_text,
	-- What both accounts had after it, their entries' numbers, and what moved.
	ADD CONSTRAINT transfers_sides CHECK (LEAST(debit_debits_posted_minor, debit_credits_posted_minor,
		debit_debits_pending_minor, debit_credits_pending_minor, credit_debits_posted_minor, credit_credits_posted_minor,
		credit_debits_pending_minor, credit_credits_pending_minor, debit_sequence - 1, credit_sequence - 1,
		moved_minor - 1) >= 0),
	ADD CONSTRAINT transfers_amount CHECK (moved_minor = amount_minor OR (kind = 5 AND moved_minor < amount_minor)
		OR (kind IN (4, 7) AND amount_minor = 0)),
	ADD CONSTRAINT transfers_target CHECK ((kind IN (3, 4, 6, 7)) = (target_id IS NOT NULL)),
	ADD CONSTRAINT transfers_expires CHECK (expires > created),
	ADD CONSTRAINT transfers_group CHECK (group_position < group_size
		AND (group_position = 0) = (group_id = transfer_id));

-- The first transfer of a group is found by its own id; these are the others.
CREATE INDEX transfers_by_group ON transfers (group_id, ledger_id) WHERE group_position > 0;
CREATE INDEX declines_by_group ON declines (group_id, ledger_id) WHERE transfer_id <> group_id;

-- state: 1 pending, 2 captured, 3 released, 4 expired: how it ended. What was captured before a release or an expiry stays
-- captured. expires is when a pending hold ends by itself; null when it does not, and once it has ended.
ALTER TABLE holds
	ADD COLUMN expires timestamptz,
	DROP CONSTRAINT holds_state,
	ADD CONSTRAINT holds_state CHECK (CASE state WHEN 1 THEN captured_minor < amount_minor
		WHEN 2 THEN captured_minor > 0 WHEN 3 THEN captured_minor < amount_minor
		WHEN 4 THEN captured_minor < amount_minor ELSE false END),
	ADD CONSTRAINT holds_expires CHECK (state = 1 OR expires IS NULL);

-- Not by state: an update of a column that an index's condition names is never a heap-only one.
CREATE INDEX holds_due ON holds (ledger_id, expires) WHERE expires IS NOT NULL;

-- How much of a transfer was moved back, once any of it was.
CREATE TABLE reversed (
	ledger_id uuid NOT NULL,
	original_id uuid NOT NULL,
	amount_minor bigint NOT NULL,
	reversed_minor bigint NOT NULL,
	CONSTRAINT reversed_pkey PRIMARY KEY (original_id, ledger_id),
	CONSTRAINT reversed_original_exists FOREIGN KEY (original_id, ledger_id) REFERENCES transfers (transfer_id, ledger_id),
	CONSTRAINT reversed_minor CHECK (reversed_minor > 0 AND reversed_minor <= amount_minor)
) WITH (fillfactor = 80);

ALTER TABLE declines
	DROP CONSTRAINT declines_reason,
	ADD CONSTRAINT declines_reason CHECK (reason IN ('INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED', 'ACCOUNT_NOT_FOUND',
		'ACCOUNT_FROZEN', 'ACCOUNT_BLOCKED', 'ACCOUNT_CLOSED', 'CURRENCY_MISMATCH', 'HOLD_NOT_FOUND',
		'HOLD_MISMATCH', 'HOLD_EXPIRED', 'ALREADY_CAPTURED', 'ALREADY_RELEASED', 'CAPTURE_EXCEEDS_HOLD',
		'TRANSFER_NOT_FOUND', 'NOT_REVERSIBLE', 'REVERSAL_MISMATCH', 'REVERSAL_EXCEEDS_ORIGINAL',
		'BALANCE_OVERFLOW'));

GRANT INSERT (credit_line_minor) ON accounts TO :runtime_role;
GRANT UPDATE (label, status, lower_limit_minor, upper_limit_minor, credit_line_minor, version, last_entry)
	ON accounts TO :runtime_role;
GRANT UPDATE (expires) ON holds TO :runtime_role;
GRANT SELECT, INSERT ON assets TO :runtime_role;
GRANT SELECT, INSERT, UPDATE (reversed_minor) ON reversed TO :runtime_role;
