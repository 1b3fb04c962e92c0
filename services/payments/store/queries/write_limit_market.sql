-- Sets the calendar of a ledger; no row: it is so already.
INSERT INTO limit_markets AS m (ledger_id, time_zone, week_start, cooling_off_s, update_time)
VALUES ($1, $2, $3, $4, now())
ON CONFLICT (ledger_id) DO UPDATE SET time_zone = excluded.time_zone, week_start = excluded.week_start,
	cooling_off_s = excluded.cooling_off_s, update_time = excluded.update_time
WHERE (m.time_zone, m.week_start, m.cooling_off_s)
	IS DISTINCT FROM (excluded.time_zone, excluded.week_start, excluded.cooling_off_s)
RETURNING m.ledger_id
