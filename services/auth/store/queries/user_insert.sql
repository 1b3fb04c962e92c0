-- A new user; a taken id or username violates users_pkey or users_username_unique.
INSERT INTO users (user_id, username, role, created_at, password_hash)
VALUES ($1, $2, $3, $4, $5)
