/* Threads for work that hashes a password, each with a database connection of its own. They bound
 * the memory that Argon2 takes (threads x memory of one hash) and keep the server's workers free.
 * The queue is bounded: what does not fit is refused at once. For auth's engine and main.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rt/pg.h"
#include "rt/status.h"

struct hash_pool;

/* First member of what is queued. Owns: the submitter; lent from _submit until `run` is called, on
 * a thread of the pool. */
struct hash_job {
	void (*run)(struct hash_job *job, struct rt_pg *pg);
};

struct hash_pool_config {
	struct rt_pg_config pg;
	size_t threads;
	size_t queue_max;
	int64_t job_us; /* what a job is thought to take, for retry_after_ms */
};

/* Starts the threads. Errors: RESOURCE_EXHAUSTED NO_THREAD. */
struct rt_status hash_pool_new(const struct hash_pool_config *config, struct hash_pool **pool);
/* Queues a job. Thread: any; never blocks. Errors: RESOURCE_EXHAUSTED OVERLOADED with
 * retry_after_ms. */
struct rt_status hash_pool_submit(struct hash_pool *pool, struct hash_job *job);
/* Takes no more, runs what waits, ends the threads and frees the pool. */
void hash_pool_destroy(struct hash_pool *pool);
