-- What a person may deposit and lose, and whether they may play at all: the limits, what is used of them, and who changed
-- what. ledger_id is in every key, so that these tables distribute by it.

-- The calendar of a ledger. Without a row the ledger has no limits.
CREATE TABLE limit_markets (
	ledger_id     uuid        PRIMARY KEY,
	-- A name of PostgreSQL's own time zones, which are IANA's; checked before it is written.
	time_zone     text        NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
	-- 1 Monday to 7 Sunday
	week_start    smallint    NOT NULL CHECK (week_start BETWEEN 1 AND 7),
	cooling_off_s bigint      NOT NULL CHECK (cooling_off_s BETWEEN 0 AND 31536000),
	update_time   timestamptz NOT NULL
);

-- Persons with a limit or a restriction. The row is what orders all that happens to one person's limits: whoever decides
-- on a payment, or changes a limit, locks it first, in the order of the key.
CREATE TABLE limit_persons (
	ledger_id       uuid        NOT NULL REFERENCES limit_markets,
	person_id       text        NOT NULL CHECK (length(person_id) BETWEEN 1 AND 64),
	-- Null: not. A self-exclusion stands beyond its time, until it is lifted.
	excluded_until  timestamptz,
	timed_out_until timestamptz,
	create_time     timestamptz NOT NULL,
	PRIMARY KEY (ledger_id, person_id)
) WITH (fillfactor = 80);

CREATE TABLE person_limits (
	ledger_id     uuid     NOT NULL,
	person_id     text     NOT NULL,
	currency      text     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	-- 1 deposits, 2 losses
	measure       smallint NOT NULL CHECK (measure IN (1, 2)),
	-- 1 day, 2 week, 3 month
	period        smallint NOT NULL CHECK (period BETWEEN 1 AND 3),
	-- Null: no limit.
	limit_minor   bigint   CHECK (limit_minor >= 0),
	-- From pending_time on pending_minor counts; a pending_time that is null: nothing waits.
	pending_minor bigint   CHECK (pending_minor >= 0),
	pending_time  timestamptz,
	PRIMARY KEY (ledger_id, person_id, currency, measure, period),
	FOREIGN KEY (ledger_id, person_id) REFERENCES limit_persons,
	CONSTRAINT person_limits_pending CHECK (pending_time IS NOT NULL OR pending_minor IS NULL),
	-- Only a raise waits.
	CONSTRAINT person_limits_raise CHECK (pending_time IS NULL OR pending_minor IS NULL OR limit_minor < pending_minor)
);

-- What is used, by period; rows of periods that are over stay as history.
CREATE TABLE limit_usage (
	ledger_id     uuid     NOT NULL,
	person_id     text     NOT NULL,
	currency      text     NOT NULL,
	measure       smallint NOT NULL CHECK (measure IN (1, 2)),
	period        smallint NOT NULL CHECK (period BETWEEN 1 AND 3),
	-- The first day of the period, by the market's calendar.
	period_start  date     NOT NULL,
	used_minor    bigint   NOT NULL,
	-- The limit that counted when something was last added, or what corrections have made of it; null: none.
	allowed_minor bigint,
	PRIMARY KEY (ledger_id, person_id, currency, measure, period, period_start),
	FOREIGN KEY (ledger_id, person_id) REFERENCES limit_persons,
	CONSTRAINT limit_usage_deposits CHECK (measure <> 1 OR used_minor >= 0),
	CONSTRAINT limit_usage_within CHECK (used_minor <= allowed_minor)
) WITH (fillfactor = 80);

-- What one payment has to do with the usage.
CREATE TABLE limit_claims (
	ledger_id    uuid     NOT NULL,
	payment_id   uuid     NOT NULL,
	person_id    text     NOT NULL,
	currency     text     NOT NULL,
	measure      smallint NOT NULL CHECK (measure IN (1, 2)),
	-- Days on which its periods begin, to give it back to those that it was taken from.
	day_start    date     NOT NULL,
	week_start   date     NOT NULL,
	month_start  date     NOT NULL,
	-- What it adds to the usage; below 0 for what makes less of it.
	amount_minor bigint   NOT NULL CHECK (amount_minor <> 0),
	-- 1 counted, and given back if the payment fails; 2 counts when the payment has succeeded; 3 done with
	state        smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
	PRIMARY KEY (payment_id, ledger_id),
	FOREIGN KEY (ledger_id, person_id) REFERENCES limit_persons
);

-- Which limit or restriction declined a payment, and what was left of it.
CREATE TABLE limit_refusals (
	ledger_id   uuid        NOT NULL,
	payment_id  uuid        NOT NULL,
	-- Null unless it was a limit.
	measure     smallint,
	period      smallint,
	limit_minor bigint,
	left_minor  bigint      CHECK (left_minor >= 0),
	-- When the period ends, or the restriction; infinity: never.
	until       timestamptz NOT NULL,
	PRIMARY KEY (payment_id, ledger_id),
	CONSTRAINT limit_refusals_whole CHECK (num_nulls(measure, period, limit_minor, left_minor) IN (0, 4))
);

-- Who changed what; rows stay.
CREATE TABLE limit_changes (
	ledger_id      uuid        NOT NULL,
	change_id      uuid        NOT NULL,
	-- Empty: the market itself.
	person_id      text        NOT NULL CHECK (length(person_id) <= 64),
	-- 1 limit, 2 self-exclusion, 3 time-out, 4 lifted, 5 market
	action         smallint    NOT NULL CHECK (action BETWEEN 1 AND 5),
	currency       text        NOT NULL,
	measure        smallint    NOT NULL,
	period         smallint    NOT NULL,
	limit_minor    bigint,
	effective_time timestamptz NOT NULL,
	-- The market as it is then.
	market         text        NOT NULL,
	identity       text        NOT NULL CHECK (length(identity) BETWEEN 1 AND 32),
	user_id        uuid,
	reason         text        NOT NULL CHECK (length(reason) <= 256),
	create_time    timestamptz NOT NULL,
	PRIMARY KEY (ledger_id, person_id, change_id)
);

-- The first day of the period that a moment is in.
CREATE FUNCTION limit_period_start(period smallint, moment timestamptz, time_zone text, week_start smallint)
RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT CASE period
		WHEN 1 THEN (moment AT TIME ZONE time_zone)::date
		WHEN 2 THEN (moment AT TIME ZONE time_zone)::date
			- (extract(isodow FROM moment AT TIME ZONE time_zone)::integer - week_start + 7) % 7
		ELSE date_trunc('month', moment AT TIME ZONE time_zone)::date
	END
$$;

-- The moment at which the next period begins. Where midnight does not exist, it is the first moment after.
CREATE FUNCTION limit_period_end(period smallint, moment timestamptz, time_zone text, week_start smallint)
RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT (limit_period_start(period, moment, time_zone, week_start) + CASE period
		WHEN 1 THEN interval '1 day'
		WHEN 2 THEN interval '7 days'
		ELSE interval '1 month' END) AT TIME ZONE time_zone
$$;

GRANT SELECT, INSERT ON limit_markets, limit_persons, person_limits, limit_usage, limit_claims, limit_refusals, limit_changes
	TO :runtime_role;
GRANT UPDATE (time_zone, week_start, cooling_off_s, update_time) ON limit_markets TO :runtime_role;
GRANT UPDATE (excluded_until, timed_out_until) ON limit_persons TO :runtime_role;
GRANT UPDATE (limit_minor, pending_minor, pending_time) ON person_limits TO :runtime_role;
GRANT UPDATE (used_minor, allowed_minor) ON limit_usage TO :runtime_role;
GRANT UPDATE (state) ON limit_claims TO :runtime_role;
