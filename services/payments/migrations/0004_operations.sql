-- What people see of payments: changes in an order in which they can be watched, who made them and why, calls to connectors,
-- tries that did not help, and what operators did.

-- The number of the transaction that wrote a change, at least that of the payment's change before it; see
-- docs/decisions/0026-payments-watch.md. What was there already comes first.
ALTER TABLE payment_events
	ADD COLUMN position  bigint NOT NULL DEFAULT 0,
	-- The process that made it; null for what an operator did, and for what was there before this column.
	ADD COLUMN worker_id uuid,
	-- The operator who made it, as "username (user id)", and why; '' for what a process did.
	ADD COLUMN operator  text   NOT NULL DEFAULT '' CHECK (length(operator) <= 128),
	ADD COLUMN evidence  text   NOT NULL DEFAULT '' CHECK (length(evidence) <= 512);
ALTER TABLE payment_events ALTER COLUMN position SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX payment_events_feed ON payment_events (ledger_id, position, payment_id, version);
-- Those that a person had, or has, to look at (8: manual review).
CREATE INDEX payment_events_review ON payment_events (ledger_id, payment_id) WHERE state = 8;

-- Lists by account and by the caller's reference, and what is not finished, oldest first.
CREATE INDEX payments_of_account ON payments (ledger_id, account_id, payment_id);
CREATE INDEX payments_of_reference ON payments (ledger_id, reference, payment_id) WHERE reference <> '';
CREATE INDEX payments_unfinished ON payments (ledger_id, payment_id) WHERE open;

-- Calls to connectors, written with the change that they led to; of calls that changed nothing, some.
CREATE TABLE payment_calls (
	ledger_id          uuid        NOT NULL,
	payment_id         uuid        NOT NULL,
	call_id            uuid        NOT NULL,
	-- How many calls in a row had not helped before this one.
	attempt            bigint      NOT NULL CHECK (attempt >= 1),
	-- Name of the plan's step, and what was asked of the connector for it: enum saga_action.
	step               text        NOT NULL CHECK (length(step) <= 32),
	action             smallint    NOT NULL CHECK (action BETWEEN 1 AND 15),
	-- Ours, as the connector was given it.
	reference          text        NOT NULL CHECK (length(reference) <= 64),
	-- What it came to, as in SAGA_EVENTS: 'PROVIDER_SUCCEEDED'.
	result             text        NOT NULL CHECK (length(result) <= 32),
	reason             text        NOT NULL CHECK (length(reason) <= 64),
	provider_reference text        NOT NULL CHECK (length(provider_reference) <= 128),
	worker_id          uuid        NOT NULL,
	start_time         timestamptz NOT NULL,
	end_time           timestamptz NOT NULL,
	PRIMARY KEY (payment_id, call_id, ledger_id)
);

-- Where a payment stands that was tried in vain, for people; written now and then, and only while it is being tried.
CREATE TABLE payment_tries (
	ledger_id   uuid        NOT NULL,
	payment_id  uuid        NOT NULL,
	attempts    bigint      NOT NULL,
	reason      text        NOT NULL CHECK (length(reason) <= 64),
	try_time    timestamptz NOT NULL,
	next_time   timestamptz NOT NULL,
	PRIMARY KEY (payment_id, ledger_id)
) WITH (fillfactor = 70);

-- What a process should look at again at once: put there by another one, taken out by itself.
CREATE TABLE saga_wakes (
	worker_id   uuid        NOT NULL,
	ledger_id   uuid        NOT NULL,
	payment_id  uuid        NOT NULL,
	PRIMARY KEY (worker_id, payment_id, ledger_id)
);

-- What operators did about payments; rows stay.
CREATE TABLE operator_actions (
	ledger_id   uuid        NOT NULL,
	action_id   uuid        NOT NULL,
	payment_id  uuid        NOT NULL,
	-- 1 retry, 2 resolve
	kind        smallint    NOT NULL CHECK (kind BETWEEN 1 AND 2),
	operator    text        NOT NULL CHECK (length(operator) BETWEEN 1 AND 128),
	-- Of a resolution: 1 the other side did it, 2 it did not.
	outcome     smallint    NOT NULL CHECK (outcome BETWEEN 0 AND 2),
	reason      text        NOT NULL CHECK (length(reason) <= 256),
	reference   text        NOT NULL CHECK (length(reference) <= 128),
	-- Where the payment stood, and the version of the last change that this led to at once; 0: none.
	from_state  smallint    NOT NULL,
	version     bigint      NOT NULL,
	create_time timestamptz NOT NULL,
	PRIMARY KEY (ledger_id, payment_id, action_id),
	CONSTRAINT operator_actions_evidence CHECK (kind <> 2 OR (outcome > 0 AND reason <> '' AND reference <> ''))
);
CREATE INDEX operator_actions_in_time ON operator_actions (ledger_id, action_id);

GRANT SELECT, INSERT ON payment_calls, payment_tries, saga_wakes, operator_actions TO :runtime_role;
GRANT UPDATE ON payment_tries TO :runtime_role;
GRANT DELETE ON saga_wakes TO :runtime_role;
