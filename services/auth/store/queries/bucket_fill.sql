-- Fills a bucket: what is not on record is full. Index: login_buckets_pkey.
DELETE FROM login_buckets
WHERE bucket = $1
