-- Operations in the order of their arrival, after a given one. Index: the primary key.
SELECT arrival, reference, kind, amount_minor, currency, instrument, status, final_status, decline_reason,
	provider_reference, created_us, updated_us, final_due_us, original
FROM operations
WHERE arrival > ?1
ORDER BY arrival
LIMIT ?2
