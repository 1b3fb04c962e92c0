-- When something is due next; null when nothing is. Notifications count when ?1 is 1. Indexes: operations_due, notifications_due.
SELECT min(due_us)
FROM (
	SELECT min(final_due_us) AS due_us FROM operations WHERE final_due_us IS NOT NULL
	UNION ALL
	SELECT min(due_us) AS due_us FROM notifications WHERE ?1 = 1
)
