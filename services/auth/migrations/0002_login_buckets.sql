-- How many attempts at a password each name has left. Unlogged: no attempt waits for the disk, and what people typed is in
-- no log, standby or base backup, hashed or not. A crash of PostgreSQL empties it, which fills every bucket.
CREATE UNLOGGED TABLE login_buckets (
	bucket  bytea       NOT NULL CONSTRAINT login_buckets_pkey PRIMARY KEY,
	full_at timestamptz NOT NULL,
	CONSTRAINT login_buckets_bucket_form CHECK (octet_length(bucket) = 32)
);

CREATE INDEX login_buckets_by_full_at ON login_buckets (full_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON login_buckets TO :runtime_role;
