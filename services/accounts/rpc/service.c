#include "rpc/service.h"

#include <stdlib.h>

#include "rt/assert.h"

void *accounts_worker_new(void *service)
{
	const struct accounts_service *accounts = service;
	struct accounts_worker *worker = calloc(1, sizeof(*worker));
	RT_ASSERT(worker != NULL);
	worker->pg = rt_pg_new(&accounts->pg);
	if (accounts->has_cache)
		worker->cache = cache_new(&accounts->cache);
	return worker;
}

void accounts_worker_destroy(void *worker)
{
	struct accounts_worker *own = worker;
	if (own == NULL)
		return;
	cache_destroy(own->cache);
	rt_pg_destroy(own->pg);
	free(own);
}
