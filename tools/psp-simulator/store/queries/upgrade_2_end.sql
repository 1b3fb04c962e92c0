-- What the books of version 1 had, in the tables of version 2.
INSERT INTO operations (arrival, reference, kind, amount_minor, currency, instrument, original, status, final_status,
	decline_reason, provider_reference, created_us, updated_us, final_due_us)
SELECT arrival, reference, kind, amount_minor, currency, instrument, '', status, final_status, decline_reason,
	provider_reference, created_us, updated_us, final_due_us
FROM operations_1
ORDER BY arrival;
INSERT INTO notifications (notification_id, reference, shows, copies, attempts, due_us)
SELECT notification_id, reference, shows, copies, attempts, due_us
FROM notifications_1;
DROP TABLE notifications_1;
DROP TABLE operations_1;
