/* Whether an attempt to log in succeeds, once everything about it is known. Pure. */
#pragma once

#include <stdbool.h>

#include "rt/identity.h"

/* Why; the names go into the audit trail. Callers are told LOGIN_OK, or one and the same refusal
 * for all others. */
#define LOGIN_VERDICTS(ROW)                                                                        \
	ROW(OK, "ok")                                                                              \
	ROW(UNKNOWN_USER, "unknown_user")                                                          \
	ROW(WRONG_PASSWORD, "wrong_password")                                                      \
	ROW(WRONG_IDENTITY, "wrong_identity")

enum login_verdict {
#define LOGIN_VERDICT_ENUM(name, text) LOGIN_##name,
	LOGIN_VERDICTS(LOGIN_VERDICT_ENUM)
#undef LOGIN_VERDICT_ENUM
};

struct login_facts {
	bool user_known;
	bool password_right; /* against the user's hash, or against the dummy for an unknown one */
	enum rt_role role;   /* of a known user */
	enum rt_identity identity;
};

enum login_verdict login_decide(const struct login_facts *facts);
const char *login_verdict_name(enum login_verdict verdict);
