/* Registering assets, and asking for them. For the service's rpc/ and engine/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "domain/account.h"
#include "domain/asset.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"

/* Registers the asset, or finds that it is; *asset becomes what is stored. Errors: those of
 * asset_check; NOT_FOUND LEDGER_NOT_FOUND; FAILED_PRECONDITION IDEMPOTENCY_PAYLOAD_MISMATCH
 * (another exponent), TOO_MANY_ASSETS. */
struct rt_status assets_register(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				 struct asset *asset, struct rt_arena *arena, int64_t deadline_us,
				 bool *replayed);
/* By code. Errors: NOT_FOUND LEDGER_NOT_FOUND. */
struct rt_status assets_list(struct rt_pg *pg, const struct rt_uuid *ledger_id,
			     struct rt_arena *arena, int64_t deadline_us, struct asset **assets,
			     size_t *count);
/* Whether each account's currency is ISO 4217's, or registered for their ledger. Asks the database
 * only about others than ISO's. Errors: INVALID_ARGUMENT INVALID_CURRENCY with a field such as
 * "accounts[2].currency". */
struct rt_status assets_check_accounts(struct rt_pg *pg, const struct account_record *records,
				       size_t count, struct rt_arena *arena, int64_t deadline_us);
