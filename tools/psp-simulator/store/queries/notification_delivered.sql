-- One delivery less is left; the next one, if any, is due at once. Index: the primary key.
UPDATE notifications
SET copies = copies - 1, attempts = 0, due_us = ?2
WHERE notification_id = ?1
