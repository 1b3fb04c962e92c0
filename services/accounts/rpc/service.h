/* What handlers work with. For rpc/ and main.c. */
#pragma once

#include <stdbool.h>

#include "engine/background.h"
#include "engine/invalidator.h"
#include "engine/posting.h"
#include "rt/pg.h"
#include "store/cache.h"
#include "store/plans.h"

/* Shared by all calls. */
struct accounts_service {
	struct posting *posting;
	struct rt_pace *reads; /* the posting engine's, for verifications */
	struct rt_pg_config pg;
	bool has_cache;
	struct cache_config cache;
	struct invalidator *invalidator; /* NULL: no cache */
	struct background *background;   /* for verifications */
};

/* One worker thread's own. */
struct accounts_worker {
	struct rt_pg *pg;
	struct plans plans;  /* of pg */
	struct cache *cache; /* NULL: none */
};

/* For rt_server_config: worker_new and worker_destroy. */
void *accounts_worker_new(void *service);
void accounts_worker_destroy(void *worker);
