/* Who may call what: decided from the peer's certificate and the method's matrix, before anything
 * is unpacked. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/identity.h"
#include "rt/status.h"

/* What TLS found out about the peer. */
struct rt_peer {
	bool secure;
	unsigned spiffe_ids; /* how many SPIFFE ids */
	unsigned uris;       /* how many URI SANs */
	char spiffe_id[128]; /* the last of them, cut when too long */
};

/* Errors: UNAUTHENTICATED IDENTITY_INVALID unless there is exactly one URI SAN, a known identity of
 * the domain. */
struct rt_status rt_admit_peer(const struct rt_peer *peer, const char *trust_domain,
			       enum rt_identity *identity);

/* Errors: PERMISSION_DENIED IDENTITY_DENIED when the identity isn't in the matrix. */
struct rt_status rt_admit_identity(uint64_t callers, enum rt_identity identity);

/* Whether a token must, may or need not be shown; `shown` says whether there is one. Errors:
 * UNAUTHENTICATED TOKEN_REQUIRED. */
struct rt_status rt_admit_token(uint32_t roles, bool shown);

/* Errors: PERMISSION_DENIED ROLE_DENIED when the token's role isn't among those allowed and a token
 * was asked for. */
struct rt_status rt_admit_role(uint32_t roles, enum rt_role role);

/* The lesser of what the caller gave (microseconds from now, RT_NO_DEADLINE: none) and the method's
 * own limit, as a monotonic time. */
int64_t rt_admit_deadline_us(int64_t now_us, int64_t caller_left_us, int64_t method_ms_max);

/* "Bearer TOKEN" (RFC 6750); NULL when it is anything else. */
const char *rt_admit_bearer(const char *authorization);
