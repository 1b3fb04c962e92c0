-- The calendar of a ledger. Locks nothing. Index: the primary key.
SELECT m.time_zone, m.week_start, m.cooling_off_s FROM limit_markets AS m WHERE m.ledger_id = $1
