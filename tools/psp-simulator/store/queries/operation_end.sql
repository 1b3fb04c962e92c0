-- Makes an operation final before its time: captured, declined or canceled. Index: that of the unique reference.
UPDATE operations
SET status = ?2, final_status = ?2, decline_reason = ?3, updated_us = ?4, final_due_us = NULL
WHERE reference = ?1
