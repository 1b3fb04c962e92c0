-- What keeps a person from playing. Locks nothing. Index: the primary key.
SELECT coalesce(p.excluded_until, '-infinity'), coalesce(p.timed_out_until, '-infinity'), now()
FROM limit_persons AS p
WHERE p.ledger_id = $1 AND p.person_id = $2
