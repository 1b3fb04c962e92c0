/* Who calls: the identity of the certificate (SPIFFE), and the roles of the token. Any layer may
 * include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/id.h"

/* The last path segment of a peer's SPIFFE id. */
#define RT_IDENTITIES(ROW)                                                                         \
	ROW(AUTH, "auth")                                                                          \
	ROW(ACCOUNTS, "accounts")                                                                  \
	ROW(PAYMENTS, "payments")                                                                  \
	ROW(CONNECTOR, "connector")                                                                \
	ROW(GATEWAY, "gateway")                                                                    \
	ROW(OPERATOR, "operator")                                                                  \
	ROW(MONITOR, "monitor")

enum rt_identity {
#define RT_IDENTITY_ENUM(name, text) RT_ID_##name,
	RT_IDENTITIES(RT_IDENTITY_ENUM)
#undef RT_IDENTITY_ENUM
		RT_ID_COUNT
};
_Static_assert(RT_ID_COUNT <= 8, "the permission matrix has eight rows");

/* What a caller must show besides its certificate; a set of bits. */
enum rt_role {
	RT_ROLE_NONE = 1 << 0, /* no token is needed */
	RT_ROLE_PLAYER = 1 << 1,
	RT_ROLE_OPERATOR = 1 << 2,
	RT_ROLE_AUDITOR = 1 << 3,
};

/* A permission matrix in one number: eight bits of roles for each identity; 0 for an identity means
 * that it may not call. RT_ALLOW(GATEWAY, RT_ROLE_PLAYER) | RT_ALLOW(OPERATOR, RT_ROLE_OPERATOR |
 * RT_ROLE_AUDITOR) */
#define RT_ALLOW(identity, roles) ((uint64_t)(roles) << (8 * RT_ID_##identity))
#define RT_ALLOW_ANY_IDENTITY     (UINT64_C(0x0101010101010101) * RT_ROLE_NONE)

struct rt_caller {
	enum rt_identity identity;
	enum rt_role role;      /* RT_ROLE_NONE without a token */
	struct rt_uuid user_id; /* nil without a token */
	char username[65];
	int64_t ends_wall_us; /* when the token is taken no longer; 0 without a token */
};

const char *rt_identity_name(enum rt_identity identity);
/* False when unknown. */
bool rt_identity_parse(const char *name, enum rt_identity *identity);
/* Takes "spiffe://<trust_domain>/<identity>" apart; false when it is anything else. Pure. */
bool rt_identity_from_spiffe(const char *spiffe_id, const char *trust_domain,
			     enum rt_identity *identity);
/* What the matrix asks of the identity: a set of enum rt_role, 0 for "may not call". */
static inline uint32_t rt_allowed_roles(uint64_t callers, enum rt_identity identity)
{
	return (uint32_t)((callers >> (8 * (uint32_t)identity)) & 0xff);
}
