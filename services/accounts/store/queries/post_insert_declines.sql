-- Appends a row for each transfer of a batch's declined groups. Index: declines_pkey.
INSERT INTO declines (ledger_id, created, transfer_id, group_id, cause_id, reason, group_hash)
SELECT $1, $2, d.transfer_id, d.group_id, d.cause_id, d.reason, d.group_hash
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[])
	AS d (transfer_id, group_id, cause_id, reason, group_hash)
