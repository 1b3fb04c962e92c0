-- Whether the database knows a time zone by this name. Reads its time zone files.
SELECT z.name FROM pg_timezone_names AS z WHERE z.name = $1
