/* Argon2id: a password into a hash in the PHC string format, and the check of one against the
 * other. Takes about 20 ms and the memory of its cost: for threads of the hash pool, and commands.
 * Source: RFC 9106. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/user.h"
#include "rt/status.h"

struct hash_cost {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t lanes;
};

/* Hashes with a fresh random salt. Errors: RESOURCE_EXHAUSTED OVERLOADED (no memory), INTERNAL
 * HASH_FAILED. */
struct rt_status hasher_make(const struct hash_cost *cost, const char *password, size_t length,
			     char hash[PASSWORD_HASH_TEXT_BYTES]);
/* Hashes as `hash` says and compares in constant time. Errors: the same. */
struct rt_status hasher_verify(const char *hash, const char *password, size_t length, bool *right);
