-- Counts one more try, and says how many there were.
INSERT INTO tries (reference, count) VALUES (?1, 1)
ON CONFLICT (reference) DO UPDATE SET count = count + 1
RETURNING count
