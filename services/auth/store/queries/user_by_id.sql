-- One user with the hash of their password. Index: users_pkey. No lock: a row never changes.
SELECT user_id, username, role, created_at, password_hash
FROM users
WHERE user_id = $1
