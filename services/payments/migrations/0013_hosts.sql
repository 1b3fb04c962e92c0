-- Where a worker runs, which one process at a time can: whoever begins there knows that the one before is gone. Empty: unknown.
ALTER TABLE saga_workers ADD COLUMN host text NOT NULL DEFAULT '' CHECK (length(host) <= 320);
