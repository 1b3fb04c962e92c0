/* An attempt at a password is counted before the password is looked at, by the name that was typed
 * and whether anybody has it or not. For auth's engine. */
#pragma once

#include "engine/auth.h"

/* Takes an attempt with this name, for all callers that show the same identity: what strangers try
 * through the gateway keeps no operator waiting. `action` names the metric's series. Errors:
 * RESOURCE_EXHAUSTED LOGIN_THROTTLED with retry_after_ms. */
struct rt_status throttle_admit(const struct auth_engine *engine, const struct request *request,
				const char *action, const char *username);
/* The password was right: what was tried before counts no more. */
struct rt_status throttle_forget(const struct request *request, const char *username);
