-- More kinds (between ledgers, refunds, wagers), more states, fees, and what a payment gives back of another one.

ALTER TABLE payments
	-- Of a transfer between ledgers: the destination, the account that is credited there, and the transit account there.
	ADD COLUMN remote_ledger_id  uuid,
	ADD COLUMN remote_account_id uuid,
	ADD COLUMN remote_counter_id uuid,
	-- The payment that this one gives back, wholly or partly; of the same ledger.
	ADD COLUMN parent_id         uuid,
	-- Gaming: groups wagers with their settlements; '' for other kinds.
	ADD COLUMN round_id          text        NOT NULL DEFAULT '' CHECK (length(round_id) <= 64),
	ADD COLUMN fee_minor         bigint      NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
	ADD COLUMN fee_account_id    uuid,
	-- What others have given back of this one, and what they have given back or may yet: claimed when they are recorded.
	ADD COLUMN refunded_minor    bigint      NOT NULL DEFAULT 0,
	ADD COLUMN claimed_minor     bigint      NOT NULL DEFAULT 0,
	-- Since when a person should look at it, though it is still being worked on: unknown for too long.
	ADD COLUMN review_since      timestamptz,
	-- What the person who pays must do, from the connector.
	ADD COLUMN action_url        text        NOT NULL DEFAULT '' CHECK (length(action_url) <= 2048),
	ADD COLUMN action_data       text        NOT NULL DEFAULT '' CHECK (length(action_data) <= 4096),
	DROP CONSTRAINT payments_kind_check,
	DROP CONSTRAINT payments_state_check,
	DROP CONSTRAINT payments_open_state,
	DROP CONSTRAINT payments_connector_kind,
	-- 1 deposit, 2 withdrawal, 3 transfer, 4 transfer between ledgers, 5 refund, 6 wager, 7 settlement, 8 rollback of a wager,
	-- 9 rollback of a settlement
	ADD CONSTRAINT payments_kind CHECK (kind BETWEEN 1 AND 9),
	ADD CONSTRAINT payments_state CHECK (state BETWEEN 1 AND 14),
	ADD CONSTRAINT payments_open_state CHECK (open = (state IN (1, 2, 3, 4, 5, 9, 10))),
	ADD CONSTRAINT payments_connector_kind CHECK ((kind IN (1, 2, 5)) = (connector <> '')),
	ADD CONSTRAINT payments_remote CHECK ((kind = 4) = (remote_ledger_id IS NOT NULL)
		AND (kind = 4) = (remote_account_id IS NOT NULL) AND (kind = 4) = (remote_counter_id IS NOT NULL)
		AND (kind <> 4 OR (remote_ledger_id <> ledger_id AND remote_account_id <> remote_counter_id))),
	ADD CONSTRAINT payments_parent CHECK ((kind IN (5, 8, 9)) = (parent_id IS NOT NULL) AND parent_id <> payment_id),
	ADD CONSTRAINT payments_round CHECK ((kind IN (6, 7, 8, 9)) = (round_id <> '')),
	ADD CONSTRAINT payments_fee CHECK ((fee_minor > 0) = (fee_account_id IS NOT NULL) AND fee_account_id <> account_id),
	-- Never more is given back than there was.
	ADD CONSTRAINT payments_claims CHECK (0 <= refunded_minor AND refunded_minor <= claimed_minor
		AND claimed_minor <= amount_minor);

-- Kinds that are never looked for by these are not in them.
CREATE INDEX payments_by_round ON payments (ledger_id, round_id) WHERE round_id <> '';
CREATE INDEX payments_by_parent ON payments (ledger_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX payments_by_review ON payments (ledger_id, review_since) WHERE review_since IS NOT NULL;

ALTER TABLE payment_events
	DROP CONSTRAINT payment_events_edge,
	ADD CONSTRAINT payment_events_edge CHECK ((from_state * 100 + state) IN (
		1,
		102, 103, 106, 107, 111, 108,
		203, 209,
		310, 305, 307, 311, 309, 304, 308,
		1003, 1005, 1007, 1011, 1009, 1008,
		403, 410, 405, 407, 411, 409, 408,
		506, 509, 508,
		907, 911, 912, 908,
		804, 805, 809, 806, 807, 812,
		613, 614,
		1313, 1314));

-- The account through which money goes to and comes from other ledgers; never changes once named.
CREATE TABLE transit_accounts (
	ledger_id   uuid        NOT NULL,
	currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	account_id  uuid        NOT NULL,
	create_time timestamptz NOT NULL,
	PRIMARY KEY (ledger_id, currency)
);

GRANT SELECT, INSERT ON transit_accounts TO :runtime_role;
GRANT UPDATE (refunded_minor, claimed_minor, review_since, action_url, action_data) ON payments TO :runtime_role;
