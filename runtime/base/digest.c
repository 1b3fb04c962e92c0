#include "rt/digest.h"

#include <endian.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "rt/assert.h"

/* Finding the algorithm and making a context cost several times what hashing a transfer does, so
 * that the algorithm is fetched once, and each thread keeps one context. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static pthread_key_t spare_key;

static void free_spare(void *context)
{
	EVP_MD_CTX_free(context);
}

static void prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	RT_ASSERT(sha256 != NULL);
	int failed = pthread_key_create(&spare_key, free_spare);
	RT_ASSERT(failed == 0);
}

static void update(struct rt_digest *digest, const void *bytes, size_t length)
{
	int ok = EVP_DigestUpdate(digest->context, bytes, length);
	RT_ASSERT(ok == 1);
}

static void update_tagged(struct rt_digest *digest, char tag, uint64_t value)
{
	unsigned char frame[9];
	uint64_t big_endian = htobe64(value);
	frame[0] = (unsigned char)tag;
	memcpy(frame + 1, &big_endian, sizeof(big_endian));
	update(digest, frame, sizeof(frame));
}

void rt_digest_init(struct rt_digest *digest)
{
	pthread_once(&once, prepare);
	EVP_MD_CTX *context = pthread_getspecific(spare_key);
	if (context != NULL)
		pthread_setspecific(spare_key, NULL);
	else
		context = EVP_MD_CTX_new();
	RT_ASSERT(context != NULL);
	int ok = EVP_DigestInit_ex(context, sha256, NULL);
	RT_ASSERT(ok == 1);
	digest->context = context;
}

void rt_digest_bytes(struct rt_digest *digest, const void *bytes, size_t length)
{
	update_tagged(digest, 'b', length);
	update(digest, bytes, length);
}

void rt_digest_text(struct rt_digest *digest, const char *text)
{
	size_t length = strlen(text);
	update_tagged(digest, 't', length);
	update(digest, text, length);
}

void rt_digest_int(struct rt_digest *digest, int64_t value)
{
	update_tagged(digest, 'i', (uint64_t)value);
}

void rt_digest_finish(struct rt_digest *digest, uint8_t hash[RT_DIGEST_BYTES])
{
	unsigned length = 0;
	int ok = EVP_DigestFinal_ex(digest->context, hash, &length);
	RT_ASSERT(ok == 1);
	RT_ASSERT(length == RT_DIGEST_BYTES);
	if (pthread_getspecific(spare_key) == NULL &&
	    pthread_setspecific(spare_key, digest->context) == 0)
		digest->context = NULL;
	EVP_MD_CTX_free(digest->context);
	digest->context = NULL;
}
