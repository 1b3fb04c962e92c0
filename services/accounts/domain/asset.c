#include "domain/asset.h"

#include "rt/money.h"

struct rt_status asset_check(const struct asset *asset)
{
	RT_TRY(currency_field("code", asset->code));
	if (rt_currency_find(asset->code) != NULL)
		return RT_BAD_FIELD("INVALID_CURRENCY", "code",
				    "is a currency of ISO 4217, which needs no registration");
	if (asset->exponent < 0 || asset->exponent > ASSET_EXPONENT_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "exponent", "must be 0 to %d",
				    ASSET_EXPONENT_MAX);
	return rt_ok();
}
