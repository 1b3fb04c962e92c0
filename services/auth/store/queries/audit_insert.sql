-- One entry of the audit trail, which is append-only.
INSERT INTO audit_events (event_id, created_at, action, outcome, reason, actor_identity, actor_user_id,
	subject_user_id, trace_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
