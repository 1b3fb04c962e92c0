-- Brings the accounts that a batch touched to their new state. Index: accounts_pkey; their rows are locked already.
UPDATE accounts AS a
SET debits_posted_minor = u.debits_posted_minor, credits_posted_minor = u.credits_posted_minor,
	debits_pending_minor = u.debits_pending_minor, credits_pending_minor = u.credits_pending_minor,
	sequence = u.sequence, last_entry = $2
FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
	AS u (account_id, sequence, debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor)
WHERE a.ledger_id = $1 AND a.account_id = u.account_id
