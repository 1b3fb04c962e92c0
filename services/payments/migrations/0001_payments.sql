-- Payments, their history, the workers that carry them out, clearing accounts and the connectors' notifications.
--
-- ledger_id is in every key of what belongs to a ledger, so that these tables distribute by it. It comes last in keys whose
-- leading columns are looked up without it (a payment by its id; a caller's idempotency key in any ledger).

CREATE TABLE payments (
	ledger_id         uuid        NOT NULL,
	payment_id        uuid        NOT NULL,
	-- A user's id or a service identity's name: the scope of idempotency_key.
	caller            text        NOT NULL CHECK (length(caller) BETWEEN 1 AND 64),
	idempotency_key   text        NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 64),
	-- SHA-256 of the canonical body.
	body_hash         bytea       NOT NULL CHECK (length(body_hash) = 32),
	-- 1 deposit, 2 withdrawal, 3 transfer
	kind              smallint    NOT NULL CHECK (kind BETWEEN 1 AND 3),
	account_id        uuid        NOT NULL,
	-- The other account of a transfer; the clearing account of the rest.
	counter_id        uuid        NOT NULL,
	amount_minor      bigint      NOT NULL CHECK (amount_minor > 0),
	currency          text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	connector         text        NOT NULL CHECK (length(connector) <= 32),
	instrument        text        NOT NULL CHECK (length(instrument) <= 256),
	reference         text        NOT NULL CHECK (length(reference) <= 128),
	-- Numbers of states.def.
	state             smallint    NOT NULL CHECK (state BETWEEN 1 AND 9),
	-- Whether a saga works on it. By itself a column, so that changes between two open states touch no index.
	open              boolean     NOT NULL,
	reason            text        NOT NULL CHECK (length(reason) <= 64),
	version           bigint      NOT NULL CHECK (version >= 1),
	-- Who carries it out, and how often it has changed hands: whoever writes must hold the latest.
	lease_owner       uuid        NOT NULL,
	fence             bigint      NOT NULL CHECK (fence >= 1),
	create_time       timestamptz NOT NULL,
	update_time       timestamptz NOT NULL,
	PRIMARY KEY (payment_id, ledger_id),
	CONSTRAINT payments_key UNIQUE (caller, idempotency_key, ledger_id),
	CONSTRAINT payments_two_accounts CHECK (account_id <> counter_id),
	CONSTRAINT payments_open_state CHECK (open = (state IN (1, 2, 3, 4, 5, 9))),
	CONSTRAINT payments_connector_kind CHECK ((kind = 3) = (connector = ''))
) WITH (fillfactor = 85);

-- A ledger's payments, newest first (ids are time-ordered).
CREATE INDEX payments_of_ledger ON payments (ledger_id, payment_id);
-- Sagas by who has them: recovery looks for owners that are gone.
CREATE INDEX payments_open ON payments (lease_owner) WHERE open;

-- Every change of state; rows stay. The check is the edges of states.def (0: before the first), compared by a unit test.
CREATE TABLE payment_events (
	ledger_id   uuid        NOT NULL,
	payment_id  uuid        NOT NULL,
	-- The payment's version after the change.
	version     bigint      NOT NULL CHECK (version >= 1),
	from_state  smallint    NOT NULL,
	state       smallint    NOT NULL,
	reason      text        NOT NULL CHECK (length(reason) <= 64),
	create_time timestamptz NOT NULL,
	PRIMARY KEY (payment_id, version, ledger_id),
	CONSTRAINT payment_events_first CHECK ((version = 1) = (from_state = 0)),
	CONSTRAINT payment_events_edge CHECK ((from_state * 100 + state) IN (
		1,
		102, 103, 106, 107, 108,
		203,
		305, 307, 309, 304, 308,
		405, 407, 409, 403, 408,
		506, 508,
		907, 908))
);

-- The account that mirrors our money at a provider; never changes once named.
CREATE TABLE clearing_accounts (
	ledger_id   uuid        NOT NULL,
	connector   text        NOT NULL CHECK (connector ~ '^[a-z0-9-]{1,32}$'),
	currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	account_id  uuid        NOT NULL,
	create_time timestamptz NOT NULL,
	PRIMARY KEY (ledger_id, connector, currency)
);

-- One row for each start of a payments process: its lease covers all sagas that it owns.
CREATE TABLE saga_workers (
	worker_id   uuid        PRIMARY KEY,
	lease_until timestamptz NOT NULL,
	start_time  timestamptz NOT NULL DEFAULT now()
);

-- What connectors told us, once each; hints only. A notification names no ledger.
CREATE TABLE notifications (
	notification_id text        PRIMARY KEY CHECK (length(notification_id) BETWEEN 1 AND 64),
	reference       text        NOT NULL CHECK (length(reference) <= 64),
	status          smallint    NOT NULL,
	create_time     timestamptz NOT NULL
);

GRANT SELECT, INSERT ON payments, payment_events, clearing_accounts, notifications, saga_workers TO :runtime_role;
GRANT UPDATE (state, open, reason, version, update_time, lease_owner, fence) ON payments TO :runtime_role;
GRANT UPDATE (lease_until) ON saga_workers TO :runtime_role;
