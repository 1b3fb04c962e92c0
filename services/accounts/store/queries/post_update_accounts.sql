-- Brings the accounts that a batch touched to their new state. Index: none, they are found where the batch has read them. One
-- that is elsewhere by now, or has another entry, is missed: then the batch is refused, by the constraint accounts_none_missed.
-- unnest is planned as a few rows, for which no table is read whole; generate_series as a thousand, for which a small one was.
WITH touched AS (
	UPDATE accounts AS a
	SET debits_posted_minor = u.debits_posted_minor, credits_posted_minor = u.credits_posted_minor,
		debits_pending_minor = u.debits_pending_minor, credits_pending_minor = u.credits_pending_minor,
		sequence = u.sequence, last_entry = $2
	FROM (
		SELECT place, ($5::uuid[])[i::int] AS account_id, ($6::bigint[])[i::int] AS read_sequence,
			($7::bigint[])[i::int] AS sequence, ($8::bigint[])[i::int] AS debits_posted_minor,
			($9::bigint[])[i::int] AS credits_posted_minor, ($10::bigint[])[i::int] AS debits_pending_minor,
			($11::bigint[])[i::int] AS credits_pending_minor
		FROM unnest($4::tid[]) WITH ORDINALITY AS p (place, i)
	) AS u
	WHERE a.ledger_id = $1 AND a.ctid = u.place AND a.account_id = u.account_id AND a.sequence = u.read_sequence
	RETURNING 1
)
SELECT (count(*) = $3)::none_missed FROM touched
