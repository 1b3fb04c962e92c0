#include "engine/signing.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/digest.h"
#include "rt/lock.h"
#include "rt/log.h"
#include "rt/secret.h"

struct signing {
	const char *path;
	struct rt_lock lock; /* guards the rest */
	struct rt_signer *signer;
	uint8_t file_hash[RT_DIGEST_BYTES]; /* of what the signer was made from */
};

static void hash_of(const struct rt_secret *pem, uint8_t hash[RT_DIGEST_BYTES])
{
	struct rt_digest digest;

	rt_digest_init(&digest);
	rt_digest_bytes(&digest, rt_secret_bytes(pem), pem->length);
	rt_digest_finish(&digest, hash);
}

/* The old signer, if any, is handed to the caller. */
static struct rt_signer *swap(struct signing *signing, struct rt_signer *signer,
			      const uint8_t hash[RT_DIGEST_BYTES])
{
	RT_LOCKED(&signing->lock);
	struct rt_signer *old = signing->signer;
	signing->signer = signer;
	memcpy(signing->file_hash, hash, RT_DIGEST_BYTES);
	return old;
}

static bool is_current(struct signing *signing, const uint8_t hash[RT_DIGEST_BYTES])
{
	RT_LOCKED(&signing->lock);
	return signing->signer != NULL && memcmp(hash, signing->file_hash, RT_DIGEST_BYTES) == 0;
}

static struct rt_status load(struct signing *signing)
{
	CLEANUP(rt_secret_deinit) struct rt_secret pem = {0};
	uint8_t hash[RT_DIGEST_BYTES];
	struct rt_signer *signer = NULL;

	RT_TRY(rt_secret_read_file(signing->path, &pem));
	hash_of(&pem, hash);
	if (is_current(signing, hash))
		return rt_ok();
	RT_TRY(rt_signer_new(&pem, &signer));
	RT_LOG(INFO, "signing_keys_read", RT_TEXT("signs", rt_signer_kid(signer)),
	       RT_INT("published", (int64_t)rt_signer_key_count(signer)));
	rt_signer_destroy(swap(signing, signer, hash));
	return rt_ok();
}

struct rt_status signing_new(const char *path, struct signing **result)
{
	struct signing *signing = calloc(1, sizeof(*signing));
	struct rt_status status;

	RT_ASSERT(signing != NULL);
	signing->path = path;
	rt_lock_init(&signing->lock, RT_RANK_SERVICE);
	status = load(signing);
	if (rt_is_ok(&status))
		*result = signing;
	else
		signing_destroy(signing);
	return status;
}

void signing_destroy(struct signing *signing)
{
	if (signing == NULL)
		return;
	rt_signer_destroy(signing->signer);
	rt_lock_deinit(&signing->lock);
	free(signing);
}

void signing_reload(struct signing *signing)
{
	struct rt_status status = load(signing);

	if (!rt_is_ok(&status))
		RT_LOG(WARN, "signing_keys_refused", RT_STATUS(&status));
}

struct rt_status signing_sign(struct signing *signing, const struct rt_token_claims *claims,
			      struct rt_arena *arena, const char **token)
{
	RT_LOCKED(&signing->lock);
	return rt_signer_sign(signing->signer, claims, arena, token);
}

char *signing_jwks(struct signing *signing, struct rt_arena *arena)
{
	RT_LOCKED(&signing->lock);
	return rt_arena_strdup(arena, rt_signer_jwks(signing->signer));
}
