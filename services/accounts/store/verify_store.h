/* What a verification reads: accounts, their limits over time, their entries, their holds. For the
 * service's engine/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/account.h"
#include "domain/verify.h"
#include "domain/verify_group.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"

/* An account's id, and how many entries it has. */
struct verify_listed {
	struct rt_uuid id;
	int64_t sequence;
};

/* Accounts of a ledger after an id, in order. Owns: what these return is in the arena. */
struct rt_status verify_store_list(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				   const struct rt_uuid *after, size_t most, struct rt_arena *arena,
				   int64_t deadline_us, struct verify_listed **listed,
				   size_t *count);

/* An account with the limits that it had, from its first entry on. */
struct verify_account {
	struct account account;
	struct verify_limits *limits;
	size_t limit_count;
	int64_t broken_version; /* that its changes don't lead to; 0: none */
};
/* Accounts by id, in order. */
struct rt_status verify_store_accounts(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *ids, size_t id_count,
				       struct rt_arena *arena, int64_t deadline_us,
				       struct verify_account **accounts, size_t *count);

/* Rows of entries, read one after the other. Owns: until rt_pg_rows_deinit. */
struct rt_status verify_store_entries(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *ids, size_t id_count,
				      struct rt_arena *arena, int64_t deadline_us,
				      struct rt_pg_rows *rows);
/* The same of one account after a sequence number, up to `most`. */
struct rt_status verify_store_entries_of_one(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					     const struct rt_uuid *account_id,
					     int64_t after_sequence, size_t most,
					     struct rt_arena *arena, int64_t deadline_us,
					     struct rt_pg_rows *rows);
struct rt_status verify_store_entry(const struct rt_pg_rows *rows, int row,
				    struct rt_uuid *account_id, struct verify_entry *entry);
/* What was asked for, of an entry of a debited account; the reference is lent by the rows. */
struct rt_status verify_store_member(const struct rt_pg_rows *rows, int row,
				     struct verify_member *member);
/* Rows of the transfers of groups, by the ids of their first ones; by group and position. */
struct rt_status verify_store_groups(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     const struct rt_uuid *ids, size_t id_count,
				     struct rt_arena *arena, int64_t deadline_us,
				     struct rt_pg_rows *rows);

/* What is on record of holds, in the order of the ids. */
struct verify_recorded {
	bool there;
	int64_t state;
	int64_t amount_minor;
	int64_t captured_minor;
};
struct rt_status verify_store_holds(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				    const struct verify_hold *holds, size_t count,
				    struct rt_arena *arena, int64_t deadline_us,
				    struct verify_recorded **recorded);

/* A transfer whose group has no first one. */
struct verify_orphan {
	struct rt_uuid transfer_id;
	struct rt_uuid account_id; /* the debited one */
};
/* Those among some that are not the first of their groups. */
struct rt_status verify_store_orphans(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      const struct rt_uuid *ids, size_t id_count,
				      struct rt_arena *arena, int64_t deadline_us,
				      struct verify_orphan **orphans, size_t *count);

/* Ids of a ledger after an id, in order. */
struct verify_ids {
	struct rt_uuid *ids;
	size_t count;
};

/* A hold that its transfer didn't make as it is. */
struct verify_stray {
	struct rt_uuid hold_id;
	struct rt_uuid account_id; /* the debited one */
};
/* Looks at up to `most` holds after *after, which becomes the last of them, nil at the end. */
struct rt_status verify_store_strays(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				     struct rt_uuid *after, size_t most, struct rt_arena *arena,
				     int64_t deadline_us, struct verify_stray **strays,
				     size_t *count);

/* Transfers of which something was moved back, by what is on record of that; like _list. */
struct rt_status verify_store_originals(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					const struct rt_uuid *after, size_t most,
					struct rt_arena *arena, int64_t deadline_us,
					struct verify_ids *originals);

/* What of a transfer was moved back, where that isn't what its reversals moved. */
struct verify_reversed {
	struct rt_uuid original_id;
	int64_t moved_minor;      /* 0: it can't be reversed, or isn't there */
	int64_t recorded_minor;   /* 0: nothing is on record */
	const char *by_reversals; /* a number, of any size */
};
struct rt_status verify_store_reversed(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       const struct rt_uuid *ids, size_t id_count,
				       struct rt_arena *arena, int64_t deadline_us,
				       struct verify_reversed **reversed, size_t *count);

/* Accounts that transfers name and that the ledger doesn't have: looks at up to `most` after
 * *after, like _strays. */
struct rt_status verify_store_unknown(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				      struct rt_uuid *after, size_t most, struct rt_arena *arena,
				      int64_t deadline_us, struct verify_ids *unknown);

/* A declined id. */
struct verify_declined {
	struct rt_uuid transfer_id;
	bool posted; /* too */
	bool agrees; /* with the decline that caused it, and the first of its group */
};
/* Those with which something is wrong, among up to `most` after *after, like _strays. */
struct rt_status verify_store_declines(struct rt_pg *pg, const struct rt_uuid *ledger_id,
				       struct rt_uuid *after, size_t most, struct rt_arena *arena,
				       int64_t deadline_us, struct verify_declined **declines,
				       size_t *count);

/* A currency whose debits are not its credits. */
struct verify_unbalanced {
	const char *currency;
	const char *sums; /* for people */
};
/* At one moment, over all accounts of the ledger. */
struct rt_status verify_store_unbalanced(struct rt_pg *pg, const struct rt_uuid *ledger_id,
					 struct rt_arena *arena, int64_t deadline_us,
					 struct verify_unbalanced **unbalanced, size_t *count);
