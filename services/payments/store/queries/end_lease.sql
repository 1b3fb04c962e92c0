-- A worker that stops lets others take over its sagas at once.
UPDATE saga_workers SET lease_until = now() WHERE worker_id = $1
