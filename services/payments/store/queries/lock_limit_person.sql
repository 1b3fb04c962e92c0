-- One person, to change what they have. Locks their row until the commit. Index: the primary key.
SELECT coalesce(p.excluded_until, '-infinity'), coalesce(p.timed_out_until, '-infinity'), m.cooling_off_s, now()
FROM limit_persons AS p
JOIN limit_markets AS m ON m.ledger_id = p.ledger_id
WHERE p.ledger_id = $1 AND p.person_id = $2
FOR NO KEY UPDATE OF p
