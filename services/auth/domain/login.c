#include "domain/login.h"

#include "domain/role.h"
#include "rt/assert.h"

enum login_verdict login_decide(const struct login_facts *facts)
{
	if (!facts->user_known)
		return LOGIN_UNKNOWN_USER;
	if (!facts->password_right)
		return LOGIN_WRONG_PASSWORD;
	if (!role_may_log_in(facts->identity, facts->role))
		return LOGIN_WRONG_IDENTITY;
	return LOGIN_OK;
}

const char *login_verdict_name(enum login_verdict verdict)
{
	static const char *const names[] = {
#define LOGIN_VERDICT_NAME(name, text) [LOGIN_##name] = (text),
		LOGIN_VERDICTS(LOGIN_VERDICT_NAME)
#undef LOGIN_VERDICT_NAME
	};
	RT_ASSERT((size_t)verdict < sizeof(names) / sizeof(names[0]));
	return names[verdict];
}
