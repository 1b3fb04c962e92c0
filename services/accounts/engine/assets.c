#include "engine/assets.h"

#include <string.h>

#include "rt/clock.h"
#include "rt/money.h"
#include "store/asset_store.h"
#include "store/ledger_store.h"

static struct rt_status accept_stored(struct rt_pg_tx *tx, const struct rt_uuid *ledger_id,
				      struct asset *asset, struct rt_arena *arena)
{
	const char *code = asset->code;
	struct asset *stored;
	size_t count;
	RT_TRY(asset_store_find(tx->pg, ledger_id, &code, 1, arena, tx->deadline_mono_us, &stored,
				&count));
	if (count == 0)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "TOO_MANY_ASSETS",
					       "%d assets are registered already, the most",
					       ASSETS_MAX),
				       "code");
	if (stored[0].exponent != asset->exponent)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
					       "the asset is registered with another exponent"),
				       "code");
	*asset = stored[0];
	return rt_ok();
}

struct rt_status assets_register(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 struct asset *asset, struct rt_arena *arena, int64_t deadline_us,
				 bool *replayed)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	bool inserted;
	RT_TRY(asset_check(asset));
	asset->created_us = rt_clock_wall_us();
	RT_TRY(rt_pg_begin(pg, deadline_us, &tx));
	RT_TRY(asset_store_insert(&tx, ledger_id, asset, ASSETS_MAX, arena, &inserted));
	*replayed = !inserted;
	if (!inserted)
		RT_TRY(accept_stored(&tx, ledger_id, asset, arena));
	return rt_pg_commit(&tx);
}

struct rt_status assets_list(struct rt_pg *pg, const struct rt_uuid *ledger_id,
			     struct rt_arena *arena, int64_t deadline_us, struct asset **assets,
			     size_t *count)
{
	struct ledger ledger;
	RT_TRY(ledger_store_get(pg, ledger_id, arena, deadline_us, &ledger));
	return asset_store_list(pg, ledger_id, arena, deadline_us, assets, count);
}

static bool is_among(const struct asset *assets, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(assets[i].code, code) == 0)
			return true;
	return false;
}

/* Codes that aren't ISO 4217's, each once. */
static struct rt_status collect_codes(const struct account_record *records, size_t count,
				      struct rt_arena *arena, const char ***codes,
				      size_t *code_count)
{
	*code_count = 0;
	*codes = NULL;
	for (size_t i = 0; i < count; i++) {
		const char *code = records[i].account.currency;
		bool known = rt_currency_find(code) != NULL;
		for (size_t j = 0; !known && j < *code_count; j++)
			known = strcmp((*codes)[j], code) == 0;
		if (known)
			continue;
		if (*codes == NULL)
			*codes = rt_arena_array(arena, count, sizeof(**codes));
		if (*codes == NULL)
			return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
				       "the request needs too much memory");
		(*codes)[(*code_count)++] = code;
	}
	return rt_ok();
}

struct rt_status assets_check_accounts(struct rt_pg *pg, const struct account_record *records,
				       size_t count, struct rt_arena *arena, int64_t deadline_us)
{
	const char **codes;
	size_t code_count, registered_count;
	struct asset *registered;
	RT_TRY(collect_codes(records, count, arena, &codes, &code_count));
	if (code_count == 0)
		return rt_ok();
	RT_TRY(asset_store_find(pg, &records[0].ledger_id, codes, code_count, arena, deadline_us,
				&registered, &registered_count));
	for (size_t i = 0; i < count; i++) {
		const char *code = records[i].account.currency;
		if (rt_currency_find(code) == NULL && !is_among(registered, registered_count, code))
			return rt_status_in(
				RT_BAD_FIELD("INVALID_CURRENCY", "currency",
					     "is neither ISO 4217's nor registered for the ledger"),
				"accounts[%zu].", i);
	}
	return rt_ok();
}
