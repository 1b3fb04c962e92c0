-- Brings the accounts that a batch touched to their new state. Index: none, they are found where the batch has read them. One
-- that is elsewhere by now, or has another entry, is missed: then the batch is refused, by the constraint accounts_none_missed.
WITH touched AS (
	UPDATE accounts AS a
	SET debits_posted_minor = u.debits_posted_minor, credits_posted_minor = u.credits_posted_minor,
		debits_pending_minor = u.debits_pending_minor, credits_pending_minor = u.credits_pending_minor,
		sequence = u.sequence, last_entry = $2
	FROM (
		SELECT ($4::tid[])[i] AS place, ($5::uuid[])[i] AS account_id, ($6::bigint[])[i] AS read_sequence,
			($7::bigint[])[i] AS sequence, ($8::bigint[])[i] AS debits_posted_minor,
			($9::bigint[])[i] AS credits_posted_minor, ($10::bigint[])[i] AS debits_pending_minor,
			($11::bigint[])[i] AS credits_pending_minor
		FROM generate_series(1, $3::int) AS i
	) AS u
	WHERE a.ledger_id = $1 AND a.ctid = u.place AND a.account_id = u.account_id AND a.sequence = u.read_sequence
	RETURNING 1
)
SELECT (count(*) = $3)::none_missed FROM touched
