#include "engine/metadata.h"

#include "store/account_store.h"

struct rt_status metadata_get(struct rt_pg *pg, struct cache *cache,
			      const struct rt_uuid *ledger_id, const struct rt_uuid *account_id,
			      struct rt_arena *arena, int64_t deadline_us,
			      struct account_record *record)
{
	struct cache_ticket ticket = {0};
	if (cache != NULL && cache_find(cache, ledger_id, account_id, arena, record, &ticket))
		return rt_ok();
	RT_TRY(account_store_get(pg, ledger_id, account_id, arena, deadline_us, record));
	if (cache != NULL)
		cache_fill(cache, &ticket, record);
	return rt_ok();
}
