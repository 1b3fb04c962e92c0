-- Who may act, and what was done. Append-only for the service: it is granted neither UPDATE nor DELETE.
CREATE TABLE users (
	user_id       uuid        NOT NULL CONSTRAINT users_pkey PRIMARY KEY,
	username      text        NOT NULL CONSTRAINT users_username_unique UNIQUE,
	role          text        NOT NULL,
	password_hash text        NOT NULL,
	created_at    timestamptz NOT NULL,
	CONSTRAINT users_username_form CHECK (username ~ '^[a-z0-9._@+-]{3,64}$'),
	CONSTRAINT users_role_known CHECK (role IN ('player', 'operator', 'auditor')),
	CONSTRAINT users_password_hash_form CHECK (password_hash ~ '^\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$')
);

-- Ids only, no personal data: an entry outlives the user that it names, and so refers to users by no foreign key.
CREATE TABLE audit_events (
	event_id        uuid        NOT NULL CONSTRAINT audit_events_pkey PRIMARY KEY,
	created_at      timestamptz NOT NULL,
	action          text        NOT NULL,
	outcome         text        NOT NULL,
	reason          text        NOT NULL,
	actor_identity  text        NOT NULL,
	actor_user_id   uuid,
	subject_user_id uuid,
	trace_id        bytea,
	CONSTRAINT audit_events_action_known CHECK (action IN ('create_user', 'log_in')),
	CONSTRAINT audit_events_outcome_known CHECK (outcome IN ('ok', 'refused')),
	CONSTRAINT audit_events_trace_form CHECK (octet_length(trace_id) = 16)
);

CREATE INDEX audit_events_by_subject ON audit_events (subject_user_id, created_at);

GRANT SELECT, INSERT ON users TO :runtime_role;
GRANT INSERT ON audit_events TO :runtime_role;
