-- How much of each transfer was moved back by now. Index: reversed_pkey.
INSERT INTO reversed (ledger_id, original_id, amount_minor, reversed_minor)
SELECT $1, r.original_id, r.amount_minor, r.reversed_minor
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS r (original_id, amount_minor, reversed_minor)
ON CONFLICT (original_id, ledger_id) DO UPDATE SET reversed_minor = excluded.reversed_minor
