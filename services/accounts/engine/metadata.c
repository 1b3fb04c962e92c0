#include "engine/metadata.h"

#include "store/account_store.h"

struct rt_status metadata_get(struct rt_pg *pg, struct cache *cache,
			      const struct rt_uuid *ledger_id, const struct rt_uuid *account_id,
			      struct rt_arena *arena, int64_t deadline_us,
			      struct account_record *record)
{
	enum cache_result result = CACHE_UNUSABLE;
	if (cache != NULL)
		result = cache_find(cache, ledger_id, account_id, arena, record);
	if (result == CACHE_HIT)
		return rt_ok();
	RT_TRY(account_store_get(pg, ledger_id, account_id, arena, deadline_us, record));
	if (result == CACHE_MISS)
		cache_fill(cache, record);
	return rt_ok();
}
