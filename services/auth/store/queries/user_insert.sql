-- A new user; adds no row when the id or the username is taken. Not an error, which PostgreSQL would log with the username.
INSERT INTO users (user_id, username, role, created_at, password_hash)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
