-- What a batch costs, once more. Figures: docs/decisions/0015-what-a-batch-costs.md.

-- Of one width, so that it is found in an array without a walk, and has nothing to be checked.
ALTER TABLE transfers ALTER COLUMN group_hash TYPE uuid USING encode(group_hash, 'hex')::uuid;

-- Whether a statement found all the rows that it was for. What is false can't be said in it, so that the statement fails, and
-- its transaction with it, before the COMMIT that is on its way already.
CREATE DOMAIN none_missed AS boolean CONSTRAINT accounts_none_missed CHECK (VALUE);

-- A hold is inserted, and most often updated once, together with those that were inserted with it: room for all of them in the
-- page, so that the index is left alone.
ALTER TABLE holds SET (fillfactor = 50);
