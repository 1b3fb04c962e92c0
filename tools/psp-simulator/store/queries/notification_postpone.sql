-- Says when it is sent again unless it is delivered until then. Index: the primary key.
UPDATE notifications
SET due_us = ?2, attempts = attempts + 1
WHERE notification_id = ?1
