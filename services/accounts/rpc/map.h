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
/* Makes the groups of a request that may have several, and counts their transfers. Errors:
 * INVALID_ARGUMENT, INVALID_LENGTH of "groups" or a field such as
 * "groups[3].transfers[2].amount_minor". */
struct map_bounds {
	size_t groups_max, transfers_max;
};
struct rt_status map_groups(Daler__Accounts__V1__Group *const *from, size_t count,
			    const struct map_bounds *bounds, const struct rt_uuid *ledger_id,
			    struct rt_arena *arena, struct group **groups, size_t *transfer_count);
/* An owner who is a user has one spelling, that of tokens, however it was written. Errors:
 * RESOURCE_EXHAUSTED. */
struct rt_status map_owner(const char *from, struct rt_arena *arena, const char **owner);
/* Errors: INVALID_ARGUMENT with a field such as "account_id"; the rest is account_check_new's. */
struct rt_status map_new_account(const Daler__Accounts__V1__NewAccount *from,
				 const struct rt_uuid *ledger_id, struct rt_arena *arena,
				 struct account_record *record);

Daler__Accounts__V1__Ledger *map_ledger(const struct ledger *ledger, struct rt_arena *arena);
Daler__Accounts__V1__AccountMetadata *map_metadata(const struct account_record *record,
						   struct rt_arena *arena);
Daler__Accounts__V1__Account *map_account(const struct account_record *record,
					  struct rt_arena *arena);
Daler__Accounts__V1__PostedTransfer *map_posted(const struct posted_transfer *posted,
						const char *reference, struct rt_arena *arena);
/* `place` is the group's among those of the request, which a refusal names. */
Daler__Accounts__V1__Outcome *map_outcome(const struct group *group, const struct outcome *outcome,
					  size_t place, struct rt_arena *arena);
Daler__Accounts__V1__Outcome **map_outcomes(const struct group *groups,
					    const struct outcome *outcomes, size_t count,
					    struct rt_arena *arena);
/* Why a group was refused without a trace, for a call that asked for it alone; the field is within
 * the group. FAILED_PRECONDITION IDEMPOTENCY_PAYLOAD_MISMATCH, or INVALID_ARGUMENT. */
struct rt_status map_refused(const struct outcome *outcome);
/* What is on record of a group; its decline names no field, since no request is there to have it.
 */
Daler__Accounts__V1__Outcome *map_recorded(const struct group_record *record,
					   struct rt_arena *arena);
Daler__Accounts__V1__StatementEntry *map_entry(const struct statement_entry *entry,
					       enum account_side side, struct rt_arena *arena);
Daler__Accounts__V1__TrialBalanceLine *map_line(const struct trial_balance_line *line,
						struct rt_arena *arena);
/* What requests carry, in the domain's words. A code that is too long becomes one that is none; a
 * status that is none, 0. Errors of map_time_from: INVALID_ARGUMENT INVALID_FIELD naming the field.
 */
void map_currency_from(const char *from, char currency[CURRENCY_CODE_BYTES]);
struct account_limit map_limit_from(const Daler__Accounts__V1__Limit *from);
enum account_status map_status_from(Daler__Accounts__V1__AccountStatus from);
struct rt_status map_time_from(const char *field, const Google__Protobuf__Timestamp *from,
			       int64_t *wall_us);

Google__Protobuf__Timestamp *map_time(int64_t wall_us, struct rt_arena *arena);
Daler__Accounts__V1__Balances *
map_balances(enum account_side side, const struct account_state *state, struct rt_arena *arena);
/* Room for a list of messages. */
void *map_list(size_t count, struct rt_arena *arena);
/* An id as text. */
char *map_uuid(const struct rt_uuid *id, struct rt_arena *arena);
