-- One operation. Index: that of the unique reference.
SELECT arrival, reference, kind, amount_minor, currency, instrument, status, final_status, decline_reason,
	provider_reference, created_us, updated_us, final_due_us, original
FROM operations
WHERE reference = ?1
