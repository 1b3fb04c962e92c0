-- Appends a row for each transfer of a batch's declined groups; 0 stands for null. Index: declines_pkey.
INSERT INTO declines (ledger_id, created, transfer_id, group_id, cause_id, reason, group_hash, cause_side)
SELECT $1, $2, d.transfer_id, d.group_id, d.cause_id, d.reason, d.group_hash, NULLIF(d.cause_side, 0)
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::smallint[])
	AS d (transfer_id, group_id, cause_id, reason, group_hash, cause_side)
