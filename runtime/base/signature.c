#include "rt/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>

#include "rt/assert.h"

struct rt_status rt_signature_keys_read(const char *path, const char *other_path,
					struct rt_signature_keys *keys)
{
	const char *const paths[RT_SIGNATURE_KEYS_MAX] = {path, other_path};

	*keys = (struct rt_signature_keys){0};
	for (size_t i = 0; i < RT_SIGNATURE_KEYS_MAX; i++) {
		if (i > 0 && paths[i][0] == '\0')
			continue;
		struct rt_secret *key = &keys->keys[keys->count];
		struct rt_status status = rt_secret_read_file(paths[i], key);

		if (rt_is_ok(&status)) {
			keys->count++;
			if (key->length < RT_SIGNATURE_KEY_BYTES_MIN)
				status = RT_FAIL(FAILED_PRECONDITION, "SECRET_TOO_SHORT",
						 "a key of signatures has at least %d bytes",
						 RT_SIGNATURE_KEY_BYTES_MIN);
		}
		if (!rt_is_ok(&status)) {
			rt_signature_keys_deinit(keys);
			return status;
		}
	}
	return rt_ok();
}

void rt_signature_keys_deinit(struct rt_signature_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		rt_secret_deinit(&keys->keys[i]);
	keys->count = 0;
}

void rt_signature_make(const struct rt_secret *key, int64_t time_s, const void *bytes,
		       size_t length, uint8_t signature[RT_SIGNATURE_BYTES])
{
	char digits[24];
	int digit_count = snprintf(digits, sizeof(digits), "%lld.", (long long)time_s);
	size_t out = 0;
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	char name[] = "SHA256";
	const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
				     OSSL_PARAM_construct_end()};

	RT_ASSERT(mac != NULL && context != NULL);
	bool ok =
		EVP_MAC_init(context, (const unsigned char *)rt_secret_bytes(key), key->length,
			     params) == 1 &&
		EVP_MAC_update(context, (const unsigned char *)digits, (size_t)digit_count) == 1 &&
		EVP_MAC_update(context, bytes, length) == 1 &&
		EVP_MAC_final(context, signature, &out, RT_SIGNATURE_BYTES) == 1;

	RT_ASSERT(ok && out == RT_SIGNATURE_BYTES);
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
}

struct rt_status rt_signature_check(const struct rt_signature_keys *keys,
				    const struct rt_signed *message, int64_t now_s)
{
	bool valid = false;

	for (size_t i = 0; i < keys->count; i++) {
		uint8_t expected[RT_SIGNATURE_BYTES];

		rt_signature_make(&keys->keys[i], message->time_s, message->bytes, message->length,
				  expected);
		if (message->signature_length == RT_SIGNATURE_BYTES &&
		    CRYPTO_memcmp(expected, message->signature, RT_SIGNATURE_BYTES) == 0)
			valid = true;
		rt_wipe(expected, sizeof(expected));
	}
	if (!valid)
		return RT_FAIL(UNAUTHENTICATED, "SIGNATURE_INVALID",
			       "the signature is not one by a key of this service");
	int64_t age_s = 0;

	if (__builtin_sub_overflow(now_s, message->time_s, &age_s) ||
	    age_s > RT_SIGNATURE_TOLERANCE_S || age_s < -RT_SIGNATURE_TOLERANCE_S)
		return RT_FAIL(UNAUTHENTICATED, "SIGNATURE_STALE",
			       "it was signed more than %d s from now", RT_SIGNATURE_TOLERANCE_S);
	return rt_ok();
}
