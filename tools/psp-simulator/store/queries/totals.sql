-- The books by currency, kind and status; reads every operation.
SELECT currency, kind, status, count(*), sum(amount_minor)
FROM operations
GROUP BY currency, kind, status
ORDER BY currency, kind, status
