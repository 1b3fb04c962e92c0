/* Verification by the keys of the moment: fetched in the background, with a memory of what has been
 * verified. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daler/auth/v1/auth.pb-c.h"
#include "rpc/token_keys.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/digest.h"
#include "rt/lock.h"
#include "rt/log.h"
#include "rt/metrics.h"
#include "rt/token.h"

#define REMEMBERED        2048
/* A token whose key is not known makes the keys be fetched early, but not more often than this. */
#define EARLY_US          (2 * RT_US_PER_S)
#define RETRY_FIRST_US    (100 * RT_US_PER_MS)
#define RETRY_MOST_US     (5 * RT_US_PER_S)
#define FETCH_BYTES_MAX   ((size_t)256 * 1024)
#define FETCH_DEADLINE_US (2 * RT_US_PER_S)
#define REFRESH_MS        INT64_C(60000)

/* One verified token: found by its hash, so that its text is kept nowhere. */
struct remembered {
	uint8_t hash[RT_DIGEST_BYTES];
	int64_t expires_wall_us;
	struct rt_caller caller;
};

struct rt_token_verifier {
	struct rt_token_config config;
	char *issuer;
	char *audience;
	pthread_t thread;
	struct rt_lock lock; /* guards the rest */
	pthread_cond_t changed;
	bool stopping;
	bool asked_early;
	struct rt_key_set *keys; /* NULL before the first */
	uint8_t keys_hash[RT_DIGEST_BYTES];
	struct remembered memory[REMEMBERED];
};

static void hash_text(const char *text, uint8_t hash[RT_DIGEST_BYTES])
{
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_text(&digest, text);
	rt_digest_finish(&digest, hash);
}

/* Whatever was verified with keys that are gone is forgotten. */
static void put_keys(struct rt_token_verifier *verifier, struct rt_key_set *keys,
		     const uint8_t hash[RT_DIGEST_BYTES])
{
	size_t count = keys->count; /* ours no more when it is in use */
	rt_lock_take(&verifier->lock);
	struct rt_key_set *old = verifier->keys;
	bool changed = memcmp(hash, verifier->keys_hash, RT_DIGEST_BYTES) != 0;
	verifier->keys = keys;
	if (changed)
		memset(verifier->memory, 0, sizeof(verifier->memory));
	memcpy(verifier->keys_hash, hash, RT_DIGEST_BYTES);
	rt_lock_give(&verifier->lock);
	rt_key_set_drop(old);
	rt_series_set(RT_SERIES(TOKEN_KEYS), (int64_t)count);
	if (changed)
		RT_LOG(INFO, "token_keys_changed", RT_INT("keys", (int64_t)count));
}

static struct rt_status fetch(struct rt_token_verifier *verifier)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, FETCH_BYTES_MAX);
	const char *json = NULL;
	RT_TRY(verifier->config.fetch(verifier->config.context, &arena, &json));
	struct rt_key_set *keys = NULL;
	RT_TRY(rt_key_set_parse(json, &keys));
	uint8_t hash[RT_DIGEST_BYTES];
	hash_text(json, hash);
	put_keys(verifier, keys, hash);
	return rt_ok();
}

/* Sleeps until the next fetch is due, or a token asks for one. False when the verifier stops. */
static bool rest(struct rt_token_verifier *verifier, int64_t wait_us)
{
	int64_t now_us = rt_clock_mono_us();
	int64_t due_us = now_us + wait_us;
	int64_t early_us = now_us + EARLY_US;
	RT_LOCKED(&verifier->lock);
	while (!verifier->stopping) {
		int64_t until_us = verifier->asked_early && early_us < due_us ? early_us : due_us;
		if (rt_clock_mono_us() >= until_us)
			break;
		rt_lock_wait(&verifier->lock, &verifier->changed, until_us);
	}
	verifier->asked_early = false;
	return !verifier->stopping;
}

static void *refresh(void *argument)
{
	struct rt_token_verifier *verifier = argument;
	int64_t retry_us = RETRY_FIRST_US;
	int64_t wait_us = 0;
	do {
		struct rt_status status = fetch(verifier);
		if (rt_is_ok(&status)) {
			retry_us = RETRY_FIRST_US;
			wait_us = verifier->config.refresh_ms * RT_US_PER_MS;
		} else {
			RT_LOG(WARN, "token_keys_not_fetched", RT_STATUS(&status));
			wait_us = retry_us;
			retry_us = retry_us * 2 < RETRY_MOST_US ? retry_us * 2 : RETRY_MOST_US;
		}
	} while (rest(verifier, wait_us));
	return NULL;
}

struct rt_token_verifier *rt_token_verifier_new(const struct rt_token_config *config)
{
	RT_ASSERT(config->refresh_ms > 0);
	struct rt_token_verifier *verifier = calloc(1, sizeof(*verifier));
	RT_ASSERT(verifier != NULL);
	verifier->config = *config;
	verifier->issuer = strdup(config->issuer);
	verifier->audience = strdup(config->audience);
	RT_ASSERT(verifier->issuer != NULL && verifier->audience != NULL);
	rt_lock_init(&verifier->lock, RT_RANK_REGISTRY);
	rt_condition_init(&verifier->changed);
	int failed = pthread_create(&verifier->thread, NULL, refresh, verifier);
	RT_ASSERT(failed == 0);
	pthread_setname_np(verifier->thread, "rt-keys");
	return verifier;
}

void rt_token_verifier_destroy(struct rt_token_verifier *verifier)
{
	if (verifier == NULL)
		return;
	rt_lock_take(&verifier->lock);
	verifier->stopping = true;
	pthread_cond_broadcast(&verifier->changed);
	rt_lock_give(&verifier->lock);
	pthread_join(verifier->thread, NULL);
	rt_key_set_drop(verifier->keys);
	pthread_cond_destroy(&verifier->changed);
	rt_lock_deinit(&verifier->lock);
	free(verifier->issuer);
	free(verifier->audience);
	free(verifier);
}

/* The public functions promise not to change what is verified; the memory of it is our own affair.
 */
static struct rt_token_verifier *inner(const struct rt_token_verifier *verifier)
{
	union {
		const struct rt_token_verifier *constant;
		struct rt_token_verifier *plain;
	} pun = {.constant = verifier};
	return pun.plain;
}

bool rt_token_verifier_ready(const struct rt_token_verifier *outer)
{
	struct rt_token_verifier *verifier = inner(outer);
	RT_LOCKED(&verifier->lock);
	return verifier->keys != NULL;
}

static struct remembered *slot_of(struct rt_token_verifier *verifier,
				  const uint8_t hash[RT_DIGEST_BYTES])
{
	size_t index = (size_t)hash[0] << 8 | hash[1];
	return &verifier->memory[index % REMEMBERED];
}

static void fill_caller(const struct rt_caller *from, struct rt_caller *caller)
{
	caller->role = from->role;
	caller->user_id = from->user_id;
	memcpy(caller->username, from->username, sizeof(caller->username));
	caller->ends_wall_us = from->ends_wall_us;
}

/* Under the lock. */
static bool remembers(struct rt_token_verifier *verifier, const uint8_t hash[RT_DIGEST_BYTES],
		      int64_t now_wall_us, struct rt_caller *caller)
{
	const struct remembered *slot = slot_of(verifier, hash);
	if (memcmp(slot->hash, hash, RT_DIGEST_BYTES) != 0 ||
	    now_wall_us >= slot->expires_wall_us + RT_TOKEN_LEEWAY_US)
		return false;
	fill_caller(&slot->caller, caller);
	return true;
}

/* Only while the keys that verified it are still those in use. */
static void remember(struct rt_token_verifier *verifier, const struct rt_key_set *keys,
		     const uint8_t hash[RT_DIGEST_BYTES], const struct rt_token_facts *facts)
{
	RT_LOCKED(&verifier->lock);
	if (verifier->keys != keys)
		return;
	struct remembered *slot = slot_of(verifier, hash);
	memcpy(slot->hash, hash, RT_DIGEST_BYTES);
	slot->expires_wall_us = facts->expires_wall_us;
	slot->caller = facts->caller;
}

/* Under the lock. */
static void ask_early(struct rt_token_verifier *verifier)
{
	verifier->asked_early = true;
	pthread_cond_signal(&verifier->changed);
}

/* The keys to verify with, or the remembered answer. */
static struct rt_status look_up(struct rt_token_verifier *verifier,
				const uint8_t hash[RT_DIGEST_BYTES], int64_t now_wall_us,
				struct rt_caller *caller, struct rt_key_set **keys)
{
	RT_LOCKED(&verifier->lock);
	*keys = NULL;
	if (verifier->keys == NULL) {
		ask_early(verifier);
		return RT_FAIL(UNAVAILABLE, "KEYS_UNAVAILABLE",
			       "the keys of tokens are not known yet");
	}
	if (remembers(verifier, hash, now_wall_us, caller))
		return rt_ok();
	*keys = verifier->keys;
	atomic_fetch_add(&verifier->keys->references, 1);
	return rt_ok();
}

struct rt_status rt_token_verify(const struct rt_token_verifier *outer, const char *token,
				 int64_t now_wall_us, struct rt_caller *caller)
{
	struct rt_token_verifier *verifier = inner(outer);
	uint8_t hash[RT_DIGEST_BYTES];
	hash_text(token, hash);
	struct rt_key_set *keys = NULL;
	RT_TRY(look_up(verifier, hash, now_wall_us, caller, &keys));
	if (keys == NULL)
		return rt_ok();
	const struct rt_token_rules rules = {.issuer = verifier->issuer,
					     .audience = verifier->audience};
	struct rt_token_facts facts;
	struct rt_status status = rt_token_check(keys, &rules, token, now_wall_us, &facts);
	if (rt_is_ok(&status)) {
		fill_caller(&facts.caller, caller);
		remember(verifier, keys, hash, &facts);
	} else if (facts.key_unknown) {
		RT_LOCKED(&verifier->lock);
		ask_early(verifier);
	}
	rt_key_set_drop(keys);
	return status;
}

static struct rt_status ask_auth(void *channel, struct rt_arena *arena, const char **jwks_json)
{
	static const struct rt_remote remote = {
		.service = "daler.auth.v1.AuthService",
		.name = "GetKeys",
		.reply = &daler__auth__v1__get_keys_response__descriptor,
		.repeatable = true,
	};
	Daler__Auth__V1__GetKeysRequest request = DALER__AUTH__V1__GET_KEYS_REQUEST__INIT;
	struct rt_call_options options = {.deadline_mono_us =
						  rt_clock_mono_us() + FETCH_DEADLINE_US};
	const ProtobufCMessage *reply = NULL;
	RT_TRY(rt_channel_call(channel, &remote, &request.base, &options, arena, &reply));
	const Daler__Auth__V1__GetKeysResponse *keys =
		(const Daler__Auth__V1__GetKeysResponse *)reply;
	*jwks_json = keys->jwks_json;
	return rt_ok();
}

struct rt_token_verifier *rt_token_verifier_by_auth(const char *issuer, struct rt_channel *auth)
{
	const struct rt_token_config config = {
		.issuer = issuer,
		.audience = RT_TOKEN_AUDIENCE,
		.refresh_ms = REFRESH_MS,
		.fetch = ask_auth,
		.context = auth,
	};
	return rt_token_verifier_new(&config);
}
