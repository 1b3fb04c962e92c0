-- What keeps a person from playing from now on; -infinity: nothing. Their row is locked. Index: the primary key.
UPDATE limit_persons AS p
SET excluded_until = nullif($3::timestamptz, '-infinity'), timed_out_until = nullif($4::timestamptz, '-infinity')
WHERE p.ledger_id = $1 AND p.person_id = $2
