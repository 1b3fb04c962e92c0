-- Makes a worker's lease, and ends that of whoever ran before on its host ($3; '': unknown), and is gone. Reads all of
-- saga_workers, once for each start of a process.
WITH gone AS (
	UPDATE saga_workers AS w SET lease_until = now()
	WHERE w.host = $3 AND w.host <> '' AND w.worker_id <> $1 AND w.lease_until > now()
)
INSERT INTO saga_workers (worker_id, lease_until, host) VALUES ($1, now() + $2::bigint * interval '1 millisecond', $3)
ON CONFLICT (worker_id) DO UPDATE SET lease_until = excluded.lease_until
