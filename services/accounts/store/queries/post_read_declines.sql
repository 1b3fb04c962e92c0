-- What is on record as declined of a batch's ids. Index: declines_pkey.
SELECT transfer_id, group_id, cause_id, created, reason, group_hash, cause_side
FROM declines
WHERE ledger_id = $1 AND transfer_id = ANY ($2::uuid[])
