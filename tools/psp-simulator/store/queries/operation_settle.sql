-- Makes the pending operations final that are due. Index: operations_due.
UPDATE operations
SET status = final_status, updated_us = ?1, final_due_us = NULL
WHERE final_due_us <= ?1
