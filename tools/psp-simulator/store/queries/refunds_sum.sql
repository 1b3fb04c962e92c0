-- What is given back of a charge, or will be. Index: operations_original.
SELECT coalesce(sum(amount_minor), 0)
FROM operations
WHERE original = ?1 AND original <> '' AND final_status <> 3
