-- Removes a few buckets that have become full. Index: login_buckets_by_full_at. Locks: their rows, without waiting for any.
DELETE FROM login_buckets
WHERE bucket IN (
	SELECT bucket FROM login_buckets WHERE full_at <= $1 ORDER BY full_at LIMIT 8 FOR UPDATE SKIP LOCKED)
