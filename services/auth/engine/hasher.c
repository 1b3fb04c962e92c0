#include "engine/hasher.h"

#include <argon2.h>

#include "rt/id.h"

#define SALT_BYTES 16
#define TAG_BYTES  32

static struct rt_status status_from(int result)
{
	if (result == ARGON2_OK)
		return rt_ok();
	if (result == ARGON2_MEMORY_ALLOCATION_ERROR || result == ARGON2_THREAD_FAIL) {
		struct rt_status status =
			RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "no memory to hash a password");
		status.retry_after_ms = 1000;
		return status;
	}
	return RT_FAIL(INTERNAL, "HASH_FAILED", "a password could not be hashed (%d)", result);
}

struct rt_status hasher_make(const struct hash_cost *cost, const char *password, size_t length,
			     char hash[PASSWORD_HASH_TEXT_BYTES])
{
	uint8_t salt[SALT_BYTES];

	rt_random_bytes(salt, sizeof(salt));
	return status_from(argon2id_hash_encoded(cost->passes, cost->memory_kib, cost->lanes,
						 password, length, salt, sizeof(salt), TAG_BYTES,
						 hash, PASSWORD_HASH_TEXT_BYTES));
}

struct rt_status hasher_verify(const char *hash, const char *password, size_t length, bool *right)
{
	int result = argon2id_verify(hash, password, length);

	*right = result == ARGON2_OK;
	return result == ARGON2_VERIFY_MISMATCH ? rt_ok() : status_from(result);
}
