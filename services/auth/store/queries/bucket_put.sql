-- Puts on record when a bucket will be full, where it still is what was read ($3; NULL: not on record); else touches no row.
-- Index: login_buckets_pkey. Lock: the bucket's row.
INSERT INTO login_buckets (bucket, full_at)
VALUES ($1, $2)
ON CONFLICT (bucket) DO UPDATE SET full_at = excluded.full_at
WHERE login_buckets.full_at = $3
