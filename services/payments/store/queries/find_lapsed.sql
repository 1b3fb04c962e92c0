-- Owners of open sagas that are neither this worker nor alive. Steps from owner to owner through the index payments_open,
-- so that it costs as many probes as there are owners. Locks nothing.
WITH RECURSIVE owners (lease_owner) AS (
	(SELECT p.lease_owner FROM payments AS p WHERE p.open ORDER BY p.lease_owner LIMIT 1)
	UNION ALL
	SELECT (SELECT p.lease_owner FROM payments AS p WHERE p.open AND p.lease_owner > o.lease_owner
		ORDER BY p.lease_owner LIMIT 1)
	FROM owners AS o WHERE o.lease_owner IS NOT NULL
)
SELECT o.lease_owner FROM owners AS o
WHERE o.lease_owner IS NOT NULL AND o.lease_owner <> $1
	AND NOT EXISTS (SELECT 1 FROM saga_workers AS w WHERE w.worker_id = o.lease_owner AND w.lease_until > now())
