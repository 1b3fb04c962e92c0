/* Accounts in PostgreSQL, but for the way of a posting. For the service's engine/ and rpc/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/account.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* An account as it is now, with the hash of what it was created with. */
struct stored_account {
	struct account_record record;
	uint8_t hash[ACCOUNT_HASH_BYTES];
};

/* Inserts the accounts whose ids are free, and reads all of them back, in any order, within the
 * caller's transaction. `records` have one ledger, and different ids. Owns: *stored is in the
 * arena. Errors: NOT_FOUND LEDGER_NOT_FOUND. */
struct rt_status account_store_create(struct rt_pg_tx *tx, const struct account_record *records,
				      size_t count, struct rt_arena *arena, size_t *inserted,
				      struct stored_account **stored);
/* NOT_FOUND ACCOUNT_NOT_FOUND of "account_id". */
struct rt_status account_store_not_found(void);
/* Owns: texts are in the arena. Errors: NOT_FOUND ACCOUNT_NOT_FOUND. */
struct rt_status account_store_get(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				   const struct rt_uuid *account_id, struct rt_arena *arena,
				   int64_t deadline_us, struct account_record *record);
/* The same, to be changed: its ledger is locked until the transaction ends, as a batch of postings
 * locks it, so that none decides on what is being changed; then its row. */
struct rt_status account_store_lock(struct rt_pg_tx *tx, const struct rt_uuid *ledger_id,
				    const struct rt_uuid *account_id, struct rt_arena *arena,
				    struct account_record *record);

/* Accounts by their ids, in any order; those that do not exist are left out. Owns: *stored is in
 * the arena. */
struct rt_status account_store_get_many(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					const struct rt_uuid *ids, size_t id_count,
					struct rt_arena *arena, int64_t deadline_us,
					struct stored_account **stored, size_t *count);

struct account_filter {
	struct rt_uuid ledger_id;
	const char *owner;    /* "": all */
	const char *currency; /* "": all */
	const char *label;    /* "": all */
	int64_t status;       /* enum account_status; 0: all */
	struct rt_uuid after;
	size_t most;
};
/* Owns: *records is in the arena. */
struct rt_status account_store_list(struct rt_pg *pg, const struct account_filter *filter,
				    struct rt_arena *arena, int64_t deadline_us,
				    struct account_record **records, size_t *count);
