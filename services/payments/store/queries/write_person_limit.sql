-- Sets one limit of a person whose row is locked.
INSERT INTO person_limits (ledger_id, person_id, currency, measure, period, limit_minor, pending_minor, pending_time)
VALUES ($1, $2, $3, $4::bigint, $5::bigint, nullif($6::bigint, 9223372036854775807), nullif($7::bigint, 9223372036854775807),
	nullif($8::timestamptz, '-infinity'))
ON CONFLICT (ledger_id, person_id, currency, measure, period) DO UPDATE SET limit_minor = excluded.limit_minor,
	pending_minor = excluded.pending_minor, pending_time = excluded.pending_time
