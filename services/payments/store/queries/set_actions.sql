-- What persons must do before their payments go on, of payments that the same transaction has moved. Index: the primary key.
UPDATE payments AS p
SET action_url = u.action_url, action_data = u.action_data
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS u (ledger_id, payment_id, action_url, action_data)
WHERE p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id
