-- The simulator's books. Times are microseconds since 1970 UTC; kinds and statuses are the contract's numbers.
CREATE TABLE IF NOT EXISTS operations (
	arrival            INTEGER PRIMARY KEY AUTOINCREMENT,
	reference          TEXT    NOT NULL UNIQUE,
	kind               INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
	amount_minor       INTEGER NOT NULL CHECK (amount_minor > 0),
	currency           TEXT    NOT NULL,
	instrument         TEXT    NOT NULL,
	original           TEXT    NOT NULL,
	status             INTEGER NOT NULL CHECK (status BETWEEN 1 AND 6),
	final_status       INTEGER NOT NULL CHECK (final_status IN (2, 3, 5, 6)),
	decline_reason     TEXT    NOT NULL CHECK ((final_status = 3) = (decline_reason <> '')),
	provider_reference TEXT    NOT NULL UNIQUE,
	created_us         INTEGER NOT NULL,
	updated_us         INTEGER NOT NULL,
	final_due_us       INTEGER,
	CHECK ((status IN (1, 4)) = (final_due_us IS NOT NULL)),
	CHECK (status IN (1, 4) OR status = final_status),
	CHECK ((kind = 3) = (original <> ''))
) STRICT;

CREATE INDEX IF NOT EXISTS operations_due ON operations (final_due_us) WHERE final_due_us IS NOT NULL;

CREATE INDEX IF NOT EXISTS operations_original ON operations (original) WHERE original <> '';

-- How often an operation was asked for, where its behaviour depends on that.
CREATE TABLE IF NOT EXISTS tries (
	reference TEXT    NOT NULL PRIMARY KEY,
	count     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is still to be notified; `copies` deliveries are left.
CREATE TABLE IF NOT EXISTS notifications (
	notification_id TEXT    NOT NULL PRIMARY KEY,
	reference       TEXT    NOT NULL REFERENCES operations (reference),
	shows           INTEGER NOT NULL CHECK (shows BETWEEN 1 AND 6),
	copies          INTEGER NOT NULL,
	attempts        INTEGER NOT NULL,
	due_us          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS notifications_due ON notifications (due_us);
