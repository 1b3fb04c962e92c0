#include "engine/amending.h"

#include <string.h>

#include "rt/clock.h"
#include "store/account_store.h"

/* Whether the change was made already; then *record is what it made. */
static struct rt_status look_up(struct rt_pg_tx *tx, const struct amendment *amendment,
				const uint8_t hash[AMENDMENT_HASH_BYTES], struct rt_arena *arena,
				struct account_record *record, bool *replayed)
{
	uint8_t known[AMENDMENT_HASH_BYTES];
	struct account_record made = *record;
	bool found;
	*replayed = false;
	if (record->version <= amendment->expected_version)
		return rt_ok();
	RT_TRY(amendment_store_find(tx, amendment->expected_version + 1, arena, &made, known,
				    &found));
	*replayed = found && memcmp(known, hash, sizeof(known)) == 0;
	if (*replayed)
		*record = made;
	return rt_ok();
}

static struct rt_status change(struct rt_pg *pg, const struct amendment *amendment,
			       const struct amendment_author *author, struct rt_arena *arena,
			       int64_t deadline_us, struct account_record *record, bool *replayed)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	uint8_t hash[AMENDMENT_HASH_BYTES];
	struct account_record before;
	amendment_hash(amendment, hash);
	RT_TRY(rt_pg_begin(pg, deadline_us, &tx));
	RT_TRY(account_store_lock(&tx, &amendment->ledger_id, &amendment->account_id, arena,
				  &before));
	*record = before;
	RT_TRY(look_up(&tx, amendment, hash, arena, record, replayed));
	if (*replayed)
		return rt_ok();
	RT_TRY(amendment_apply(amendment, &before, record));
	RT_TRY(amendment_store_write(&tx, &before, record, hash, author, rt_clock_wall_us(),
				     arena));
	return rt_pg_commit(&tx);
}

struct rt_status amending_run(struct rt_pg *pg, struct cache *cache,
			      const struct amendment *amendment,
			      const struct amendment_author *author, struct rt_arena *arena,
			      int64_t deadline_us, struct account_record *record, bool *replayed,
			      bool *told)
{
	RT_TRY(amendment_check(amendment));
	if (cache != NULL)
		cache_shut(cache, &amendment->ledger_id, &amendment->account_id);
	RT_TRY(change(pg, amendment, author, arena, deadline_us, record, replayed));
	*told = true;
	if (cache != NULL) {
		struct rt_status status =
			cache_drop(cache, &amendment->ledger_id, &amendment->account_id);
		*told = rt_is_ok(&status);
	}
	return rt_ok();
}
