-- Who changed what; stays.
INSERT INTO limit_changes (ledger_id, change_id, person_id, action, currency, measure, period, limit_minor, effective_time,
	market, identity, user_id, reason, create_time)
VALUES ($1, $2, $3, $4::bigint, $5, $6::bigint, $7::bigint, nullif($8::bigint, 9223372036854775807), $9, $10, $11, $12, $13,
	now())
