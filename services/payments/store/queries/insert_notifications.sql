-- What connectors told us; the same notification again is no news. Returns those whose id is another one's already: they are
-- not kept. Index: the primary key.
WITH given AS (
	SELECT u.notification_id, u.reference, u.status, u.create_time, u.body_hash, u.n
	FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::bytea[]) WITH ORDINALITY
		AS u (notification_id, reference, status, create_time, body_hash, n)
), kept AS (
	INSERT INTO notifications (notification_id, reference, status, create_time, body_hash)
	SELECT g.notification_id, g.reference, g.status::integer, g.create_time, g.body_hash FROM given AS g
	ORDER BY g.notification_id
	ON CONFLICT (notification_id) DO NOTHING
)
SELECT g.n FROM given AS g JOIN notifications AS o ON o.notification_id = g.notification_id
WHERE o.body_hash <> g.body_hash
