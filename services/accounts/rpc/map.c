#include "rpc/map.h"

#include <string.h>

#include "rt/clock.h"
#include "rt/money.h"

static struct rt_status no_memory(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
		       "the request needs too much memory");
}

/* What is longer than any code becomes something that is none. */
void map_currency_from(const char *from, char currency[CURRENCY_CODE_BYTES])
{
	size_t length = strnlen(from, CURRENCY_CODE_BYTES);
	memset(currency, 0, CURRENCY_CODE_BYTES);
	if (length < CURRENCY_CODE_BYTES)
		memcpy(currency, from, length);
}

/* Timestamps go from the year 1 to the year 9999. */
#define SECONDS_MIN INT64_C(-62135596800)
#define SECONDS_MAX INT64_C(253402300799)

struct rt_status map_time_from(const char *field, const Google__Protobuf__Timestamp *from,
			       int64_t *wall_us)
{
	if (from->seconds < SECONDS_MIN || from->seconds > SECONDS_MAX || from->nanos < 0 ||
	    from->nanos > 999999999)
		return RT_BAD_FIELD("INVALID_FIELD", field, "must be a time");
	*wall_us = from->seconds * RT_US_PER_S + from->nanos / 1000;
	return rt_ok();
}

static struct rt_status take_expiry(const Google__Protobuf__Timestamp *from, int64_t *expires_us)
{
	*expires_us = 0;
	if (from == NULL)
		return rt_ok();
	RT_TRY(map_time_from("hold.expire_time", from, expires_us));
	/* 0 means never; the microsecond after it is as long past. */
	if (*expires_us == 0)
		*expires_us = 1;
	return rt_ok();
}

static struct rt_status take_kind(const Daler__Accounts__V1__Transfer *from,
				  struct transfer *transfer)
{
	switch (from->kind_case) {
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_DIRECT:
		transfer->kind = TRANSFER_DIRECT;
		return rt_ok();
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_BALANCING:
		transfer->kind = TRANSFER_BALANCING;
		return rt_ok();
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD:
		transfer->kind = TRANSFER_HOLD;
		return take_expiry(from->hold->expire_time, &transfer->expires_us);
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE:
		transfer->kind = TRANSFER_CAPTURE;
		transfer->keep_open = from->capture->keep_open;
		return rt_uuid_field("capture.hold_id", from->capture->hold_id,
				     &transfer->target_id);
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE:
		transfer->kind = TRANSFER_RELEASE;
		return rt_uuid_field("release.hold_id", from->release->hold_id,
				     &transfer->target_id);
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_REVERSAL:
		transfer->kind = TRANSFER_REVERSAL;
		return rt_uuid_field("reversal.original_id", from->reversal->original_id,
				     &transfer->target_id);
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_EXPIRY:
	case DALER__ACCOUNTS__V1__TRANSFER__KIND__NOT_SET:
	case _DALER__ACCOUNTS__V1__TRANSFER__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return RT_BAD_FIELD("INVALID_FIELD", "kind",
			    "must be direct, hold, capture, release, balancing or reversal");
}

static struct rt_status take_transfer(const Daler__Accounts__V1__Transfer *from,
				      struct transfer *transfer)
{
	*transfer =
		(struct transfer){.amount_minor = from->amount_minor, .reference = from->reference};
	RT_TRY(rt_uuid_field("transfer_id", from->transfer_id, &transfer->id));
	RT_TRY(rt_uuid_field("debit_account_id", from->debit_account_id,
			     &transfer->debit_account_id));
	RT_TRY(rt_uuid_field("credit_account_id", from->credit_account_id,
			     &transfer->credit_account_id));
	map_currency_from(from->currency, transfer->currency);
	return take_kind(from, transfer);
}

struct rt_status map_group(const Daler__Accounts__V1__Group *from, const struct rt_uuid *ledger_id,
			   struct rt_arena *arena, struct group *group)
{
	*group = (struct group){.count = from == NULL ? 0 : from->n_transfers};
	if (group->count == 0 || group->count > GROUP_TRANSFERS_MAX)
		return group_check(group); /* which says so */
	struct transfer *transfers = rt_arena_array(arena, group->count, sizeof(transfers[0]));
	if (transfers == NULL)
		return no_memory();
	for (size_t i = 0; i < group->count; i++)
		RT_TRY(rt_status_in(take_transfer(from->transfers[i], &transfers[i]),
				    "transfers[%zu].", i));
	group->transfers = transfers;
	RT_TRY(group_check(group));
	group_fill_hash(group, ledger_id);
	return rt_ok();
}

static struct rt_status check_bounds(Daler__Accounts__V1__Group *const *groups, size_t count,
				     const struct map_bounds *bounds, size_t *transfer_count)
{
	if (count == 0 || count > bounds->groups_max)
		return RT_BAD_FIELD("INVALID_LENGTH", "groups", "must be 1 to %zu, are %zu",
				    bounds->groups_max, count);
	*transfer_count = 0;
	for (size_t i = 0; i < count; i++)
		*transfer_count += groups[i]->n_transfers;
	if (*transfer_count > bounds->transfers_max)
		return RT_BAD_FIELD("INVALID_LENGTH", "groups",
				    "must have %zu transfers at most, have %zu",
				    bounds->transfers_max, *transfer_count);
	return rt_ok();
}

struct rt_status map_groups(Daler__Accounts__V1__Group *const *from, size_t count,
			    const struct map_bounds *bounds, const struct rt_uuid *ledger_id,
			    struct rt_arena *arena, struct group **groups, size_t *transfer_count)
{
	RT_TRY(check_bounds(from, count, bounds, transfer_count));
	*groups = rt_arena_array(arena, count, sizeof(**groups));
	if (*groups == NULL)
		return no_memory();
	for (size_t i = 0; i < count; i++)
		RT_TRY(rt_status_in(map_group(from[i], ledger_id, arena, &(*groups)[i]),
				    "groups[%zu].", i));
	return rt_ok();
}

enum account_status map_status_from(Daler__Accounts__V1__AccountStatus from)
{
	switch ((int)from) {
	case DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_ACTIVE:
		return ACCOUNT_ACTIVE;
	case DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_FROZEN:
		return ACCOUNT_FROZEN;
	case DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_BLOCKED:
		return ACCOUNT_BLOCKED;
	case DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_CLOSED:
		return ACCOUNT_CLOSED;
	default:
		return (enum account_status)0;
	}
}

struct account_limit map_limit_from(const Daler__Accounts__V1__Limit *from)
{
	if (from == NULL)
		return (struct account_limit){0};
	return (struct account_limit){.set = true, .amount_minor = from->amount_minor};
}

struct rt_status map_owner(const char *from, struct rt_arena *arena, const char **owner)
{
	struct rt_uuid user_id;
	*owner = rt_uuid_parse(from, &user_id) ? map_uuid(&user_id, arena) : from;
	return *owner == NULL ? no_memory() : rt_ok();
}

struct rt_status map_new_account(const Daler__Accounts__V1__NewAccount *from,
				 const struct rt_uuid *ledger_id, struct rt_arena *arena,
				 struct account_record *record)
{
	*record = (struct account_record){
		.ledger_id = *ledger_id,
		.label = from->label,
		.version = 1,
		.account = {.status = ACCOUNT_ACTIVE,
			    .lower = map_limit_from(from->lower_limit),
			    .upper = map_limit_from(from->upper_limit),
			    .credit_line_minor = from->credit_line_minor},
	};
	if (from->normal_side == DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_DEBIT)
		record->account.side = ACCOUNT_DEBIT_NORMAL;
	if (from->normal_side == DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_CREDIT)
		record->account.side = ACCOUNT_CREDIT_NORMAL;
	map_currency_from(from->currency, record->account.currency);
	RT_TRY(map_owner(from->owner, arena, &record->owner));
	return rt_uuid_field("account_id", from->account_id, &record->account.id);
}

void *map_list(size_t count, struct rt_arena *arena)
{
	return rt_arena_array(arena, count, sizeof(void *));
}

char *map_uuid(const struct rt_uuid *id, struct rt_arena *arena)
{
	char *text = rt_arena_alloc(arena, RT_UUID_TEXT_BYTES);
	if (text != NULL)
		rt_uuid_format(id, text);
	return text;
}

/* Replies only lend their texts, but protobuf-c's members are not const: they are copied. */
static char *copy(const char *text, struct rt_arena *arena)
{
	return rt_arena_strdup(arena, text);
}

Google__Protobuf__Timestamp *map_time(int64_t wall_us, struct rt_arena *arena)
{
	Google__Protobuf__Timestamp *time = rt_arena_alloc(arena, sizeof(*time));
	if (time == NULL)
		return NULL;
	google__protobuf__timestamp__init(time);
	time->seconds = wall_us / RT_US_PER_S;
	time->nanos = (int32_t)(wall_us % RT_US_PER_S * 1000);
	return time;
}

static Daler__Accounts__V1__Limit *map_limit(const struct account_limit *limit,
					     struct rt_arena *arena)
{
	if (!limit->set)
		return NULL;
	Daler__Accounts__V1__Limit *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__limit__init(to);
	to->amount_minor = limit->amount_minor;
	return to;
}

Daler__Accounts__V1__Ledger *map_ledger(const struct ledger *ledger, struct rt_arena *arena)
{
	Daler__Accounts__V1__Ledger *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__ledger__init(to);
	to->ledger_id = map_uuid(&ledger->id, arena);
	to->name = copy(ledger->name, arena);
	to->create_time = map_time(ledger->created_us, arena);
	return to;
}

static Daler__Accounts__V1__NormalSide map_side(enum account_side side)
{
	return side == ACCOUNT_DEBIT_NORMAL ? DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_DEBIT
					    : DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_CREDIT;
}

static Daler__Accounts__V1__AccountStatus map_account_status(enum account_status status)
{
	switch (status) {
	case ACCOUNT_ACTIVE:
		return DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_ACTIVE;
	case ACCOUNT_FROZEN:
		return DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_FROZEN;
	case ACCOUNT_BLOCKED:
		return DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_BLOCKED;
	case ACCOUNT_CLOSED:
		return DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_CLOSED;
	}
	return DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_UNSPECIFIED;
}

Daler__Accounts__V1__AccountMetadata *map_metadata(const struct account_record *record,
						   struct rt_arena *arena)
{
	Daler__Accounts__V1__AccountMetadata *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__account_metadata__init(to);
	to->ledger_id = map_uuid(&record->ledger_id, arena);
	to->account_id = map_uuid(&record->account.id, arena);
	to->owner = copy(record->owner, arena);
	to->currency = copy(record->account.currency, arena);
	to->normal_side = map_side(record->account.side);
	to->label = copy(record->label, arena);
	to->lower_limit = map_limit(&record->account.lower, arena);
	to->upper_limit = map_limit(&record->account.upper, arena);
	to->version = record->version;
	to->create_time = map_time(record->created_us, arena);
	to->status = map_account_status(record->account.status);
	to->credit_line_minor = record->account.credit_line_minor;
	return to;
}

Daler__Accounts__V1__Balances *
map_balances(enum account_side side, const struct account_state *state, struct rt_arena *arena)
{
	Daler__Accounts__V1__Balances *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__balances__init(to);
	to->debits_posted_minor = state->totals.debits_posted_minor;
	to->credits_posted_minor = state->totals.credits_posted_minor;
	to->debits_pending_minor = state->totals.debits_pending_minor;
	to->credits_pending_minor = state->totals.credits_pending_minor;
	to->posted_minor = account_posted_minor(side, &state->totals);
	to->available_minor = account_available_minor(side, &state->totals);
	to->sequence = state->sequence;
	return to;
}

Daler__Accounts__V1__Account *map_account(const struct account_record *record,
					  struct rt_arena *arena)
{
	Daler__Accounts__V1__Account *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__account__init(to);
	to->metadata = map_metadata(record, arena);
	to->balances = map_balances(record->account.side, &record->account.state, arena);
	return to;
}

static Daler__Accounts__V1__Hold *map_hold(const struct transfer *transfer, struct rt_arena *arena)
{
	Daler__Accounts__V1__Hold *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__hold__init(to);
	if (transfer->expires_us != 0)
		to->expire_time = map_time(transfer->expires_us, arena);
	return to;
}

static Daler__Accounts__V1__Capture *map_capture(const struct transfer *transfer,
						 struct rt_arena *arena)
{
	Daler__Accounts__V1__Capture *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__capture__init(to);
	to->hold_id = map_uuid(&transfer->target_id, arena);
	to->keep_open = transfer->keep_open;
	return to;
}

static Daler__Accounts__V1__Release *map_release(const struct transfer *transfer,
						 struct rt_arena *arena)
{
	Daler__Accounts__V1__Release *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__release__init(to);
	to->hold_id = map_uuid(&transfer->target_id, arena);
	return to;
}

static Daler__Accounts__V1__Expiry *map_expiry(const struct transfer *transfer,
					       struct rt_arena *arena)
{
	Daler__Accounts__V1__Expiry *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__expiry__init(to);
	to->hold_id = map_uuid(&transfer->target_id, arena);
	return to;
}

static Daler__Accounts__V1__Reversal *map_reversal(const struct transfer *transfer,
						   struct rt_arena *arena)
{
	Daler__Accounts__V1__Reversal *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__reversal__init(to);
	to->original_id = map_uuid(&transfer->target_id, arena);
	return to;
}

static void set_kind(Daler__Accounts__V1__Transfer *to, const struct transfer *transfer,
		     struct rt_arena *arena)
{
	/* Messages without a field are all alike; nobody changes them. */
	static Daler__Accounts__V1__Direct direct = DALER__ACCOUNTS__V1__DIRECT__INIT;
	static Daler__Accounts__V1__Balancing balancing = DALER__ACCOUNTS__V1__BALANCING__INIT;
	switch (transfer->kind) {
	case TRANSFER_DIRECT:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_DIRECT;
		to->direct = &direct;
		return;
	case TRANSFER_BALANCING:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_BALANCING;
		to->balancing = &balancing;
		return;
	case TRANSFER_HOLD:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD;
		to->hold = map_hold(transfer, arena);
		return;
	case TRANSFER_CAPTURE:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE;
		to->capture = map_capture(transfer, arena);
		return;
	case TRANSFER_RELEASE:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE;
		to->release = map_release(transfer, arena);
		return;
	case TRANSFER_REVERSAL:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_REVERSAL;
		to->reversal = map_reversal(transfer, arena);
		return;
	case TRANSFER_EXPIRY:
		to->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_EXPIRY;
		to->expiry = map_expiry(transfer, arena);
		return;
	}
}

static Daler__Accounts__V1__Transfer *map_transfer(const struct transfer *transfer,
						   const char *reference, struct rt_arena *arena)
{
	Daler__Accounts__V1__Transfer *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__transfer__init(to);
	to->transfer_id = map_uuid(&transfer->id, arena);
	to->debit_account_id = map_uuid(&transfer->debit_account_id, arena);
	to->credit_account_id = map_uuid(&transfer->credit_account_id, arena);
	to->amount_minor = transfer->amount_minor;
	to->currency = copy(transfer->currency, arena);
	to->reference = copy(reference, arena);
	set_kind(to, transfer, arena);
	return to;
}

Daler__Accounts__V1__PostedTransfer *map_posted(const struct posted_transfer *posted,
						const char *reference, struct rt_arena *arena)
{
	Daler__Accounts__V1__PostedTransfer *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__posted_transfer__init(to);
	to->transfer = map_transfer(&posted->transfer, reference, arena);
	to->group_id = map_uuid(&posted->group_id, arena);
	to->create_time = map_time(posted->created_us, arena);
	to->moved_minor = posted->moved_minor;
	to->debit_balances = map_balances(posted->debit.normal, &posted->debit.after, arena);
	to->credit_balances = map_balances(posted->credit.normal, &posted->credit.after, arena);
	return to;
}

Daler__Accounts__V1__StatementEntry *map_entry(const struct statement_entry *entry,
					       enum account_side side, struct rt_arena *arena)
{
	Daler__Accounts__V1__StatementEntry *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__statement_entry__init(to);
	to->sequence = entry->after.sequence;
	to->transfer = map_transfer(&entry->transfer, entry->transfer.reference, arena);
	to->create_time = map_time(entry->created_us, arena);
	to->balances = map_balances(side, &entry->after, arena);
	to->moved_minor = entry->moved_minor;
	return to;
}

static Daler__Accounts__V1__ExactTotals *map_exact(const struct exact_totals *exact,
						   struct rt_arena *arena)
{
	Daler__Accounts__V1__ExactTotals *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__exact_totals__init(to);
	to->debits_posted_minor = copy(exact->debits_posted_minor, arena);
	to->credits_posted_minor = copy(exact->credits_posted_minor, arena);
	to->debits_pending_minor = copy(exact->debits_pending_minor, arena);
	to->credits_pending_minor = copy(exact->credits_pending_minor, arena);
	return to;
}

Daler__Accounts__V1__TrialBalanceLine *map_line(const struct trial_balance_line *line,
						struct rt_arena *arena)
{
	Daler__Accounts__V1__TrialBalanceLine *to = rt_arena_alloc(arena, sizeof(*to));
	if (to == NULL)
		return NULL;
	daler__accounts__v1__trial_balance_line__init(to);
	to->currency = copy(line->currency, arena);
	to->account_count = line->account_count;
	to->debits_posted_minor = line->totals.debits_posted_minor;
	to->credits_posted_minor = line->totals.credits_posted_minor;
	to->debits_pending_minor = line->totals.debits_pending_minor;
	to->credits_pending_minor = line->totals.credits_pending_minor;
	to->exact = map_exact(&line->exact, arena);
	return to;
}
