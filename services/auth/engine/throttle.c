#include "engine/throttle.h"

#include "rt/clock.h"
#include "rt/metrics.h"
#include "store/throttle_store.h"

/* The name is kept nowhere as it was typed: people type passwords there. */
static struct bucket_key key_of(const struct request *request, const char *username)
{
	struct bucket_key key;
	struct rt_digest digest;

	rt_digest_init(&digest);
	rt_digest_text(&digest, "login_bucket");
	rt_digest_text(&digest, request->actor);
	rt_digest_text(&digest, username);
	rt_digest_finish(&digest, key.bytes);
	return key;
}

static struct rt_status throttled(const char *action, int64_t wait_us)
{
	int64_t wait_s = (wait_us + RT_US_PER_S - 1) / RT_US_PER_S;
	struct rt_status status = RT_FAIL(
		RESOURCE_EXHAUSTED, "LOGIN_THROTTLED",
		"too many attempts with this username; the next one in %lld s", (long long)wait_s);

	status.retry_after_ms = (wait_us + RT_US_PER_MS - 1) / RT_US_PER_MS;
	rt_series_add(RT_SERIES(LOGINS_THROTTLED, action), 1);
	return status;
}

static struct rt_status take(const struct throttle_rule *rule, const struct request *request,
			     const struct bucket_key *key, struct throttle_verdict *verdict,
			     bool *settled)
{
	struct bucket bucket;

	RT_TRY(throttle_store_read(request->pg, key, request->deadline_mono_us, request->arena,
				   &bucket));
	*verdict = throttle_take(rule, bucket.full_wall_us, bucket.now_wall_us);
	*settled = verdict->full_us == bucket.full_wall_us;
	if (*settled)
		return rt_ok();
	return throttle_store_put(request->pg, key, &bucket, verdict->full_us,
				  request->deadline_mono_us, request->arena, settled);
}

struct rt_status throttle_admit(const struct auth_engine *engine, const struct request *request,
				const char *action, const char *username)
{
	const struct throttle_rule *rule = &engine->throttle;
	const struct bucket_key key = key_of(request, username);
	struct throttle_verdict verdict = {.wait_us = rule->refill_us};
	bool settled = false;

	/* Whoever is not first reads again; each who was has taken one, until there is none. */
	for (int64_t i = 0; i <= rule->burst && !settled; i++)
		RT_TRY(take(rule, request, &key, &verdict, &settled));
	if (settled && verdict.admitted)
		return rt_ok();
	return throttled(action, verdict.admitted ? rule->refill_us : verdict.wait_us);
}

struct rt_status throttle_forget(const struct request *request, const char *username)
{
	const struct bucket_key key = key_of(request, username);

	return throttle_store_fill(request->pg, &key, request->deadline_mono_us, request->arena);
}
