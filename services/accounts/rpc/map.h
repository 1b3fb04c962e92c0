/* Between protobuf and the domain. For rpc/ alone.
 *
 * What is made for a reply comes from the call's arena; a NULL among it shows in arena->overflowed,
 * which call_end asks. */
#pragma once

#include "daler/accounts/v1/accounts.pb-c.h"
#include "domain/account.h"
#include "domain/book.h"
#include "domain/group.h"
#include "engine/statement.h"
#include "rt/arena.h"
#include "rt/status.h"
#include "store/ledger_store.h"
#include "store/statement_store.h"

/* Makes a group of a request's, checked and with its hash. Errors: INVALID_ARGUMENT with a field
 * such as "transfers[2].amount_minor". */
struct rt_status map_group(const Daler__Accounts__V1__Group *from, const struct rt_uuid *ledger_id,
			   struct rt_arena *arena, struct group *group);
/* Errors: INVALID_ARGUMENT with a field such as "account_id"; the rest is account_check_new's. */
struct rt_status map_new_account(const Daler__Accounts__V1__NewAccount *from,
				 const struct rt_uuid *ledger_id, struct account_record *record);

Daler__Accounts__V1__Ledger *map_ledger(const struct ledger *ledger, struct rt_arena *arena);
Daler__Accounts__V1__AccountMetadata *map_metadata(const struct account_record *record,
						   struct rt_arena *arena);
Daler__Accounts__V1__Account *map_account(const struct account_record *record,
					  struct rt_arena *arena);
Daler__Accounts__V1__PostedTransfer *map_posted(const struct posted_transfer *posted,
						struct rt_arena *arena);
Daler__Accounts__V1__Outcome *map_outcome(const struct group *group, const struct outcome *outcome,
					  struct rt_arena *arena);
Daler__Accounts__V1__StatementEntry *map_entry(const struct statement_entry *entry,
					       enum account_side side, struct rt_arena *arena);
Daler__Accounts__V1__TrialBalanceLine *map_line(const struct trial_balance_line *line,
						struct rt_arena *arena);
/* Room for a list of messages. */
void *map_list(size_t count, struct rt_arena *arena);
/* An id as text. */
char *map_uuid(const struct rt_uuid *id, struct rt_arena *arena);
