-- PostgreSQL's clock, by which batches have their times.
SELECT clock_timestamp()
