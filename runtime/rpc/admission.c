#include "rpc/admission.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "rt/clock.h"
#include "rt/rpc_server.h"

struct rt_status rt_admit_peer(const struct rt_peer *peer, const char *trust_domain,
			       enum rt_identity *identity)
{
	if (!peer->secure || peer->uris == 0)
		return RT_FAIL(UNAUTHENTICATED, "IDENTITY_INVALID",
			       "the certificate has no SPIFFE identity");
	if (peer->uris != 1 || peer->spiffe_ids != 1)
		return RT_FAIL(UNAUTHENTICATED, "IDENTITY_INVALID",
			       "the certificate must have exactly one URI name, a SPIFFE id");
	if (!rt_identity_from_spiffe(peer->spiffe_id, trust_domain, identity))
		return RT_FAIL(UNAUTHENTICATED, "IDENTITY_INVALID",
			       "the certificate's SPIFFE id is not known in this trust domain");
	return rt_ok();
}

struct rt_status rt_admit_identity(uint64_t callers, enum rt_identity identity)
{
	if (rt_allowed_roles(callers, identity) != 0)
		return rt_ok();
	return RT_FAIL(PERMISSION_DENIED, "IDENTITY_DENIED",
		       "the identity %s may not call this method", rt_identity_name(identity));
}

struct rt_status rt_admit_token(uint32_t roles, bool shown)
{
	if (shown || (roles & RT_ROLE_NONE) != 0)
		return rt_ok();
	return RT_FAIL(UNAUTHENTICATED, "TOKEN_REQUIRED", "this method needs a bearer token");
}

struct rt_status rt_admit_role(uint32_t roles, enum rt_role role)
{
	if ((roles & RT_ROLE_NONE) != 0 || (roles & (uint32_t)role) != 0)
		return rt_ok();
	return RT_FAIL(PERMISSION_DENIED, "ROLE_DENIED",
		       "the token's role may not call this method");
}

int64_t rt_admit_deadline_us(int64_t now_us, int64_t caller_left_us, int64_t method_ms_max)
{
	int64_t left_us = caller_left_us;
	int64_t most_us = 0;
	if (method_ms_max != RT_STREAM_FOREVER &&
	    !__builtin_mul_overflow(method_ms_max, RT_US_PER_MS, &most_us) && most_us < left_us)
		left_us = most_us;
	int64_t deadline_us = 0;
	if (left_us == RT_NO_DEADLINE || __builtin_add_overflow(now_us, left_us, &deadline_us))
		return RT_NO_DEADLINE;
	return deadline_us;
}

const char *rt_admit_bearer(const char *authorization)
{
	static const char scheme[] = "bearer ";
	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	const char *token = authorization + sizeof(scheme) - 1;
	while (*token == ' ')
		token++;
	return *token != '\0' ? token : NULL;
}
