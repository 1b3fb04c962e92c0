-- Makes or renews a worker's lease, which covers all sagas it owns.
INSERT INTO saga_workers (worker_id, lease_until) VALUES ($1, now() + $2::bigint * interval '1 millisecond')
ON CONFLICT (worker_id) DO UPDATE SET lease_until = excluded.lease_until
