/* RegisterAsset, ListAssets. */
#include "engine/assets.h"

#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "rpc/handlers.h"
#include "rpc/map.h"
#include "rpc/reply.h"

static Daler__Accounts__V1__Asset *map_asset(const struct asset *asset, struct rt_arena *arena)
{
	Daler__Accounts__V1__Asset *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__asset__init(to);
	to->code = rt_arena_strdup(arena, asset->code);
	to->exponent = (int32_t)asset->exponent;
	to->create_time = map_time(asset->created_us, arena);
	return to;
}

static struct rt_status register_asset(const struct request *request,
				       Daler__Accounts__V1__RegisterAssetResponse *reply)
{
	const Daler__Accounts__V1__RegisterAssetRequest *asked =
		(const Daler__Accounts__V1__RegisterAssetRequest *)rt_call_request(request->call);
	struct asset asset = {.exponent = asked->exponent};
	struct rt_uuid ledger_id;
	bool replayed;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	map_currency_from(asked->code, asset.code);
	RT_TRY(assets_register(request->pg, &ledger_id, &asset, request->arena,
			       request->deadline_us, &replayed));
	reply->asset = map_asset(&asset, request->arena);
	reply->replayed = replayed;
	return rt_ok();
}

void accounts_register_asset(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__RegisterAssetResponse reply;
	daler__accounts__v1__register_asset_response__init(&reply);
	reply_end(call, register_asset(&request, &reply), &reply.base);
}

static struct rt_status list_assets(const struct request *request,
				    Daler__Accounts__V1__ListAssetsResponse *reply)
{
	const Daler__Accounts__V1__ListAssetsRequest *asked =
		(const Daler__Accounts__V1__ListAssetsRequest *)rt_call_request(request->call);
	struct rt_uuid ledger_id;
	struct asset *assets;
	size_t count;
	RT_TRY(rt_uuid_field("ledger_id", asked->ledger_id, &ledger_id));
	RT_TRY(assets_list(request->pg, &ledger_id, request->arena, request->deadline_us, &assets,
			   &count));
	reply->assets = rt_arena_array(request->arena, count, sizeof(reply->assets[0]));
	reply->n_assets = reply->assets == NULL ? 0 : count;
	for (size_t i = 0; i < reply->n_assets; i++)
		reply->assets[i] = map_asset(&assets[i], request->arena);
	return rt_ok();
}

void accounts_list_assets(struct rt_call *call)
{
	struct request request = request_of(call);
	Daler__Accounts__V1__ListAssetsResponse reply;
	daler__accounts__v1__list_assets_response__init(&reply);
	reply_end(call, list_assets(&request, &reply), &reply.base);
}
