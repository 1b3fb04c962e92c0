#include "engine/hash_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/queue.h"

struct hash_pool {
	struct hash_pool_config config;
	struct rt_queue *queue;
	size_t started;
	pthread_t threads[];
};

static void *work(void *argument)
{
	struct hash_pool *pool = argument;
	struct rt_pg *pg = rt_pg_new(&pool->config.pg);
	struct hash_job *job;

	while ((job = rt_queue_pop(pool->queue, RT_NO_DEADLINE)) != NULL)
		job->run(job, pg);
	rt_pg_destroy(pg);
	return NULL;
}

struct rt_status hash_pool_new(const struct hash_pool_config *config, struct hash_pool **result)
{
	struct hash_pool *pool =
		calloc(1, sizeof(*pool) + config->threads * sizeof(pool->threads[0]));

	RT_ASSERT(pool != NULL);
	RT_ASSERT(config->threads > 0);
	pool->config = *config;
	pool->queue = rt_queue_new(config->queue_max);
	for (; pool->started < config->threads; pool->started++) {
		if (pthread_create(&pool->threads[pool->started], NULL, work, pool) != 0) {
			hash_pool_destroy(pool);
			return RT_FAIL(RESOURCE_EXHAUSTED, "NO_THREAD",
				       "a thread could not be started");
		}
	}
	*result = pool;
	return rt_ok();
}

struct rt_status hash_pool_submit(struct hash_pool *pool, struct hash_job *job)
{
	int64_t waiting;
	struct rt_status status;

	if (rt_queue_push(pool->queue, job))
		return rt_ok();
	waiting = (int64_t)rt_queue_length(pool->queue) + 1;
	status = RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "too many passwords wait to be hashed");
	status.retry_after_ms =
		1 + waiting * pool->config.job_us / (int64_t)pool->config.threads / RT_US_PER_MS;
	return status;
}

void hash_pool_destroy(struct hash_pool *pool)
{
	rt_queue_close(pool->queue);
	for (size_t i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i], NULL);
	rt_queue_destroy(pool->queue);
	free(pool);
}
