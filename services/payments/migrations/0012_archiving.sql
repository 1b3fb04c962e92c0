-- Ranges of time, for whoever archives: rows come in the order of time, so that this index has one entry for many of them.
CREATE INDEX notifications_in_time ON notifications USING brin (create_time);
