/* SHA-256, incrementally, with unambiguous framing: for body hashes and derived ids. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RT_DIGEST_BYTES 32

struct rt_digest {
	void *context; /* EVP_MD_CTX */
};

/* Owns: a context until _finish. */
void rt_digest_init(struct rt_digest *digest);
/* Each of these adds a tag and a length or fixed width, so that no two sequences of values hash
 * alike. */
void rt_digest_bytes(struct rt_digest *digest, const void *bytes, size_t length);
void rt_digest_text(struct rt_digest *digest, const char *text);
void rt_digest_int(struct rt_digest *digest, int64_t value);
void rt_digest_finish(struct rt_digest *digest, uint8_t hash[RT_DIGEST_BYTES]);
