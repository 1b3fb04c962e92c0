/* Ledgers in PostgreSQL. For the service's engine/ and rpc/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

struct ledger {
	struct rt_uuid id;
	const char *name;
	int64_t created_us;
};

/* Inserts it unless its id is taken, and says whether it did. Errors: those of rt_pg_run. */
struct rt_status ledger_store_insert(struct rt_pg *pg, const struct ledger *ledger,
				     struct rt_arena *arena, int64_t deadline_us, bool *inserted);
/* NOT_FOUND LEDGER_NOT_FOUND of "ledger_id". */
struct rt_status ledger_store_not_found(void);
/* Owns: the text is in the arena. Errors: NOT_FOUND LEDGER_NOT_FOUND. */
struct rt_status ledger_store_get(struct rt_pg *pg, const struct rt_uuid *id,
				  struct rt_arena *arena, int64_t deadline_us,
				  struct ledger *ledger);
/* Up to `most` ledgers after an id. Owns: *ledgers is in the arena. */
struct rt_status ledger_store_list(struct rt_pg *pg, const struct rt_uuid *after, size_t most,
				   struct rt_arena *arena, int64_t deadline_us,
				   struct ledger **ledgers, size_t *count);
/* Waits until no transfer of the ledger can come any more at or before a moment of the past, for
 * what is read afterwards: a batch has the time at which it locked its ledger, and is seen when it
 * is committed. *now_us is PostgreSQL's time before that; for a moment that is not before it there
 * is nothing to wait for. Of an unknown ledger there is nothing, either. */
struct rt_status ledger_store_settle(struct rt_pg *pg, const struct rt_uuid *id, int64_t moment_us,
				     struct rt_arena *arena, int64_t deadline_us, int64_t *now_us);
