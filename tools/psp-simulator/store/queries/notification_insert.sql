-- A new notification.
INSERT INTO notifications (notification_id, reference, shows, copies, attempts, due_us)
VALUES (?1, ?2, ?3, ?4, 0, ?5)
