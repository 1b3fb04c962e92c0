-- Forgets a notification: when ?2 is 0 in any case, else only when no delivery is left. Index: the primary key.
DELETE FROM notifications
WHERE notification_id = ?1 AND (?2 = 0 OR copies <= 0)
