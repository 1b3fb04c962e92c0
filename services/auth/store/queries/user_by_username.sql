-- One user with the hash of their password. Index: users_username_unique. No lock: a row never changes.
SELECT user_id, username, role, created_at, password_hash
FROM users
WHERE username = $1
