/* Key sets that verify tokens, and the check of one token. For token_verify.c; pure but for
 * OpenSSL's own memory. */
#pragma once

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt/identity.h"
#include "rt/status.h"

#define RT_KEYS_MAX        16
#define RT_KID_BYTES       64
#define RT_TOKEN_BYTES_MAX 4096

struct rt_key {
	char kid[RT_KID_BYTES];
	EVP_PKEY *key;
};

/* Immutable once made; counted by references. */
struct rt_key_set {
	struct rt_key keys[RT_KEYS_MAX];
	size_t count;
	_Atomic int references;
};

/* Reads a JSON Web Key Set: the EC P-256 keys that are for signatures; others are passed over.
 * Owns: one reference. Errors: INTERNAL KEYS_MALFORMED, also when no key is usable. */
struct rt_status rt_key_set_parse(const char *jwks_json, struct rt_key_set **set);
void rt_key_set_drop(struct rt_key_set *set);
/* NULL when it isn't there. */
const struct rt_key *rt_key_find(const struct rt_key_set *set, const char *kid);

struct rt_token_rules {
	const char *issuer;
	const char *audience;
};

struct rt_token_facts {
	struct rt_caller caller; /* role, user and name */
	int64_t expires_wall_us; /* without the leeway */
	bool key_unknown;        /* refused because its key is not in the set */
};

#define RT_TOKEN_LEEWAY_US (30 * INT64_C(1000000))

/* Verifies a token from its first byte to its last: ES256 is the only algorithm, whatever the token
 * says. Errors: UNAUTHENTICATED INVALID_TOKEN, TOKEN_EXPIRED. */
struct rt_status rt_token_check(const struct rt_key_set *set, const struct rt_token_rules *rules,
				const char *token, int64_t now_wall_us,
				struct rt_token_facts *facts);
