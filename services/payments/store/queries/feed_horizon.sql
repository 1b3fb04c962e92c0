-- The lowest number of a transaction that is still running: below it nothing is written any more. Locks nothing.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint
