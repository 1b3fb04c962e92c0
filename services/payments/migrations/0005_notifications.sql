-- A notification is known again by its id and by what it says; whatever number its status has is kept as it came.
ALTER TABLE notifications
	ALTER COLUMN status TYPE integer,
	-- SHA-256 of the bytes that were signed; null for what was there before this column.
	ADD COLUMN body_hash bytea CHECK (length(body_hash) = 32);
