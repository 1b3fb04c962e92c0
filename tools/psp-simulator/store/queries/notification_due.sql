-- Notifications that are due, with the operation that they tell of. Index: notifications_due.
SELECT n.notification_id, n.shows, n.attempts, o.reference, o.kind, o.amount_minor, o.currency, o.decline_reason,
	o.provider_reference, o.created_us, o.updated_us, o.original
FROM notifications AS n
JOIN operations AS o ON o.reference = n.reference
WHERE n.due_us <= ?1
ORDER BY n.due_us
LIMIT ?2
