-- Transfers of a ledger of which something was moved back, after an id, in order. Index: reversed_pkey.
SELECT original_id FROM reversed WHERE ledger_id = $1 AND original_id > $2 ORDER BY original_id LIMIT $3
