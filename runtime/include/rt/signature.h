/* Signatures of messages that come from outside, by a key that both sides know: HMAC-SHA256 over
 * the time and the bytes, so that one can't be sent again later. For a service's rpc/ and for who
 * sends them. Pure: the caller says what time it is. Source: RFC 2104; the form is that of the
 * payment providers' webhooks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rt/secret.h"
#include "rt/status.h"

#define RT_SIGNATURE_BYTES         32
#define RT_SIGNATURE_KEY_BYTES_MIN 32
/* How far the signer's clock may be from ours, either way, the way of the message included. */
#define RT_SIGNATURE_TOLERANCE_S   300
/* While a key is being exchanged, both are valid. */
#define RT_SIGNATURE_KEYS_MAX      2

struct rt_signature_keys {
	struct rt_secret keys[RT_SIGNATURE_KEYS_MAX];
	size_t count;
};

/* Reads the current key and, unless its path is empty, another one that is valid as well. Owns:
 * *keys, until _deinit. Errors: rt_secret_read_file's; FAILED_PRECONDITION SECRET_TOO_SHORT. */
struct rt_status rt_signature_keys_read(const char *path, const char *other_path,
					struct rt_signature_keys *keys);
void rt_signature_keys_deinit(struct rt_signature_keys *keys);

/* The signature of the decimal digits of `time_s` (seconds since 1970), a full stop, and the bytes.
 */
void rt_signature_make(const struct rt_secret *key, int64_t time_s, const void *bytes,
		       size_t length, uint8_t signature[RT_SIGNATURE_BYTES]);

struct rt_signed {
	int64_t time_s;
	const void *bytes;
	size_t length;
	const uint8_t *signature;
	size_t signature_length;
};
/* Compares in constant time, with each of the keys. The time is looked at afterwards: nobody learns
 * anything who has no key. Errors: UNAUTHENTICATED SIGNATURE_INVALID, SIGNATURE_STALE. */
struct rt_status rt_signature_check(const struct rt_signature_keys *keys,
				    const struct rt_signed *message, int64_t now_s);
