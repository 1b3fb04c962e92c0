-- Drops what was left for workers that are gone. There are few rows at any time.
DELETE FROM saga_wakes AS w
WHERE NOT EXISTS (SELECT 1 FROM saga_workers AS s WHERE s.worker_id = w.worker_id AND s.lease_until > now())
