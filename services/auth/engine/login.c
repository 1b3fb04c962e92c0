#include "engine/login.h"

#include "domain/login.h"
#include "engine/throttle.h"
#include "rt/clock.h"
#include "rt/metrics.h"
#include "rt/secret.h"
#include "store/audit_store.h"
#include "store/user_store.h"

static void credential_wipe(struct credential *credential)
{
	rt_wipe(credential, sizeof(*credential));
}

static struct rt_status audit(const struct request *request, enum login_verdict verdict,
			      const struct rt_uuid *subject)
{
	const struct audit_event event = {
		.action = "log_in",
		.outcome = verdict == LOGIN_OK ? "ok" : "refused",
		.reason = login_verdict_name(verdict),
		.actor_identity = request->actor,
		.subject_user_id = subject,
		.trace = request->trace,
		.wall_us = rt_clock_wall_us(),
	};
	rt_series_add(RT_SERIES(LOGINS, event.outcome), 1);
	return audit_store_insert(request->pg, &event, request->deadline_mono_us, request->arena);
}

static struct rt_status sign(const struct auth_engine *engine, const struct request *request,
			     struct session *session)
{
	int64_t now_wall_us = rt_clock_wall_us();

	session->expires_wall_us = now_wall_us + engine->token_ttl_us;
	const struct rt_token_claims claims = {
		.issuer = engine->token_issuer,
		.audience = RT_TOKEN_AUDIENCE,
		.user_id = session->user.id,
		.username = session->user.username,
		.role = session->user.role,
		.issued_wall_us = now_wall_us,
		.expires_wall_us = session->expires_wall_us,
	};
	return signing_sign(engine->signing, &claims, request->arena, &session->token);
}

struct rt_status login(const struct auth_engine *engine, const struct request *request,
		       const char *username, const char *password, size_t password_length,
		       struct session *session)
{
	CLEANUP(credential_wipe) struct credential credential = {0};
	struct login_facts facts = {.identity = request->caller->identity};
	enum login_verdict verdict;

	RT_TRY(throttle_admit(engine, request, "log_in", username));
	RT_TRY(user_store_by_username(request->pg, username, request->deadline_mono_us,
				      request->arena, &credential, &facts.user_known));
	RT_TRY(hasher_verify(facts.user_known ? credential.password_hash : engine->dummy_hash,
			     password, password_length, &facts.password_right));
	facts.role = credential.user.role;
	verdict = login_decide(&facts);
	if (verdict == LOGIN_OK)
		RT_TRY(throttle_forget(request, username));
	RT_TRY(audit(request, verdict, facts.user_known ? &credential.user.id : NULL));
	if (verdict != LOGIN_OK)
		return RT_FAIL(UNAUTHENTICATED, "BAD_CREDENTIALS",
			       "the username or the password is wrong");
	session->user = credential.user;
	return sign(engine, request, session);
}
