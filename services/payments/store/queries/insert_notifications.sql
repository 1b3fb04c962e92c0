-- What connectors told us; the same notification again is no news.
INSERT INTO notifications (notification_id, reference, status, create_time)
SELECT u.notification_id, u.reference, u.status, u.create_time
FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[])
	AS u (notification_id, reference, status, create_time)
ORDER BY u.notification_id
ON CONFLICT (notification_id) DO NOTHING
