#include "engine/background.h"

#include <pthread.h>
#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"

#define RETRY_AFTER_MS 1000

struct background {
	struct rt_pg_config pg;
	size_t most;
	struct rt_lock lock; /* guards what follows */
	pthread_cond_t changed;
	size_t running;
	bool stopping;
};

struct work {
	struct background *background;
	background_run run;
	void *context;
};

static void *carry_out(void *argument)
{
	struct work *work = argument;
	struct background *background = work->background;
	struct rt_pg *pg = rt_pg_new(&background->pg);
	work->run(work->context, pg);
	rt_pg_destroy(pg);
	free(work);
	RT_LOCKED(&background->lock);
	background->running--;
	pthread_cond_broadcast(&background->changed);
	return NULL;
}

struct background *background_new(const struct rt_pg_config *pg, size_t most)
{
	struct background *background = calloc(1, sizeof(*background));
	RT_ASSERT(background != NULL);
	background->pg = *pg;
	background->most = most;
	rt_lock_init(&background->lock, RT_RANK_SERVICE);
	rt_condition_init(&background->changed);
	return background;
}

static struct rt_status reserve(struct background *background)
{
	RT_LOCKED(&background->lock);
	if (background->stopping)
		return RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
	if (background->running == background->most) {
		struct rt_status status = RT_FAIL(RESOURCE_EXHAUSTED, "TOO_MANY_VERIFICATIONS",
						  "%zu are under way, the most", background->most);
		status.retry_after_ms = RETRY_AFTER_MS;
		return status;
	}
	background->running++;
	return rt_ok();
}

struct rt_status background_start(struct background *background, background_run run, void *context)
{
	pthread_t thread;
	RT_TRY(reserve(background));
	struct work *work = calloc(1, sizeof(*work));
	RT_ASSERT(work != NULL);
	*work = (struct work){.background = background, .run = run, .context = context};
	int failed = pthread_create(&thread, NULL, carry_out, work);
	RT_ASSERT(failed == 0);
	pthread_setname_np(thread, "background");
	pthread_detach(thread);
	return rt_ok();
}

void background_stop(struct background *background)
{
	RT_LOCKED(&background->lock);
	background->stopping = true;
	while (background->running > 0)
		rt_lock_wait(&background->lock, &background->changed, RT_NO_DEADLINE);
}

void background_destroy(struct background *background)
{
	if (background == NULL)
		return;
	pthread_cond_destroy(&background->changed);
	rt_lock_deinit(&background->lock);
	free(background);
}
