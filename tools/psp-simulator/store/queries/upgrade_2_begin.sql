-- Books of version 1 as those of version 2: the tables are made anew, by the schema that comes next, and what was in them
-- is kept.
ALTER TABLE notifications RENAME TO notifications_1;
ALTER TABLE operations RENAME TO operations_1;
DROP INDEX operations_due;
DROP INDEX notifications_due;
