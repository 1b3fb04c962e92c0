/* Assets that ISO 4217 does not know, registered for a ledger. Pure; any layer of the service may
 * include this. */
#pragma once

#include <stdint.h>

#include "domain/currency.h"
#include "rt/status.h"

#define ASSET_EXPONENT_MAX 18
#define ASSETS_MAX         1000 /* of one ledger */

struct asset {
	char code[CURRENCY_CODE_BYTES];
	int64_t exponent; /* digits after the point */
	int64_t created_us;
};

/* Errors: INVALID_ARGUMENT INVALID_CURRENCY for code, when it has not the form of one, or is ISO
 * 4217's; INVALID_FIELD for exponent. */
struct rt_status asset_check(const struct asset *asset);
