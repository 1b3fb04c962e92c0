-- Registered assets of a ledger by their codes. Index: assets_pkey.
SELECT code, exponent, created FROM assets WHERE ledger_id = $1 AND code = ANY ($2::text[])
