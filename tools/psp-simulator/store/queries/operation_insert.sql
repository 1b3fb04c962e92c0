-- A new operation.
INSERT INTO operations (reference, kind, amount_minor, currency, instrument, status, final_status, decline_reason,
	provider_reference, created_us, updated_us, final_due_us, original)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12)
