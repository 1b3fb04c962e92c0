-- Creates accounts, but for those whose ids are taken; in order of id, so that two such batches don't wait for each other.
-- Index: accounts_pkey. Locks: the ledger's row FOR KEY SHARE, by its foreign key.
INSERT INTO accounts (ledger_id, created, account_id, owner, currency, normal_side, label, lower_limit_minor,
	upper_limit_minor, creation_hash, credit_line_minor)
SELECT $1, $2, n.account_id, n.owner, n.currency, n.normal_side, n.label, n.lower_limit_minor, n.upper_limit_minor,
	n.creation_hash, n.credit_line_minor
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::bigint[], $9::bigint[], $10::bytea[],
	$11::bigint[])
	AS n (account_id, owner, currency, normal_side, label, lower_limit_minor, upper_limit_minor, creation_hash,
		credit_line_minor)
ORDER BY n.account_id
ON CONFLICT (account_id, ledger_id) DO NOTHING
