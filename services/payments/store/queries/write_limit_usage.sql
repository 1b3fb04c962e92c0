-- What is used after a batch, with the limit that allowed it: the check limit_usage_within holds them to each other. The
-- persons' rows are locked since what was used was read.
INSERT INTO limit_usage (ledger_id, person_id, currency, measure, period, period_start, used_minor, allowed_minor)
SELECT u.ledger_id, u.person_id, u.currency, u.measure, u.period, DATE '1970-01-01' + u.period_start::integer, u.used_minor,
	nullif(u.allowed_minor, 9223372036854775807)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[], $8::bigint[])
	AS u (ledger_id, person_id, currency, measure, period, period_start, used_minor, allowed_minor)
ON CONFLICT (ledger_id, person_id, currency, measure, period, period_start)
DO UPDATE SET used_minor = excluded.used_minor, allowed_minor = excluded.allowed_minor
