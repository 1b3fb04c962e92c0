-- When a bucket of attempts will be full, NULL when it is, and what time it is. Index: login_buckets_pkey. No lock: it is
-- changed only where it still is what was read.
SELECT (SELECT full_at FROM login_buckets WHERE bucket = $1), clock_timestamp()
