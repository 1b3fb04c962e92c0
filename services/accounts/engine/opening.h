/* Creating ledgers and accounts, safe to repeat. For the service's rpc/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/ledger_store.h"

#define OPENING_ACCOUNTS_MAX 1000

/* Creates the ledger, or finds the one that an earlier call with the same content created; *ledger
 * becomes what is stored. Errors: INVALID_ARGUMENT; FAILED_PRECONDITION
 * IDEMPOTENCY_PAYLOAD_MISMATCH. */
struct rt_status opening_ledger(struct rt_pg *pg, struct ledger *ledger, struct rt_arena *arena,
				int64_t deadline_us, bool *replayed);

/* Creates the accounts of one ledger, all or none; those that exist already with the same content
 * stay as they are. Each record becomes what is stored, its balances included. `replayed` when all
 * existed. Errors: INVALID_ARGUMENT with a field such as "accounts[2].owner"; NOT_FOUND
 * LEDGER_NOT_FOUND; FAILED_PRECONDITION IDEMPOTENCY_PAYLOAD_MISMATCH. */
struct rt_status opening_accounts(struct rt_pg *pg, struct account_record *records, size_t count,
				  struct rt_arena *arena, int64_t deadline_us, bool *replayed);
