-- Registers an asset unless its code is taken, or the ledger has as many as it may. Index: assets_pkey. The ledger's row is
-- locked already, so that the count stays true.
INSERT INTO assets (ledger_id, code, exponent, created)
SELECT $1, $2, $3, $4
WHERE (SELECT count(code) FROM assets WHERE ledger_id = $1) < $5
ON CONFLICT (ledger_id, code) DO NOTHING
