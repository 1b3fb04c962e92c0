#include "engine/verification_internal.h"

#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "store/ledger_store.h"

#define LIST_ACCOUNTS    1000
/* Accounts that are gone through together have at most so many, and so many entries. */
#define GROUP_ACCOUNTS   250
#define GROUP_ENTRIES    4000
#define PAGE_ENTRIES     4000
/* Of one account's open holds, in each of the walks through its entries: 10 MiB, grown. */
#define HOLDS_FOLLOWED   ((size_t)1 << 16)
#define NAMES_AT_ONCE    1000
#define DECLINES_AT_ONCE 1000
#define STEP_US_MAX      (60 * RT_US_PER_S)

/* No step may take long, whatever the caller's deadline: a statement that hangs would not hear of
 * its leaving. */
int64_t verification_step_deadline_us(const struct verification *verification)
{
	int64_t latest_us = rt_clock_mono_us() + STEP_US_MAX;
	return verification->deadline_us < latest_us ? verification->deadline_us : latest_us;
}

void verification_report(const struct verification *verification,
			 const struct discrepancy *discrepancy)
{
	verification->observer->found(verification->observer->context, discrepancy);
}

static void take_found(void *context, const struct discrepancy *discrepancy)
{
	verification_report(context, discrepancy);
}

static struct rt_status tell(struct verification *verification)
{
	RT_TRY(verification->compare_status);
	return verification->observer->progress(verification->observer->context,
						&verification->progress);
}

/* Nothing is held meanwhile. Whoever waits for a caller does so after its turn has ended. */
static int64_t give_way(const struct verification *verification)
{
	return rt_pace_begin(verification->pace, verification_step_deadline_us(verification));
}

/* A row of an entry of the walk's account. */
static struct rt_status feed(struct verification *verification, struct verify_walk *walk,
			     const struct rt_pg_rows *rows, int row,
			     const struct verify_entry *entry)
{
	if (entry->is_debit && !walk->again) {
		struct verify_member member;
		verification->progress.transfers++;
		RT_TRY(verify_store_member(rows, row, &member));
		RT_TRY(verification_take_member(verification, &member));
	}
	return verify_entry_next(walk, entry);
}

/* Feeds a page of one account's entries; *more says whether there may be another. */
static struct rt_status feed_page(struct verification *verification, struct verify_walk *walk,
				  bool *more)
{
	int64_t began_us = rt_clock_mono_us();
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_arena arena;
	rt_arena_init(&arena, 1 << 16);
	struct rt_status status = verify_store_entries_of_one(
		verification->pg, &verification->ledger_id, &walk->account_id, walk->seen.sequence,
		PAGE_ENTRIES, &arena, verification_step_deadline_us(verification), &rows);
	rt_arena_deinit(&arena);
	RT_TRY(status);
	for (int row = 0; row < rows.count; row++) {
		struct rt_uuid account_id;
		struct verify_entry entry;
		RT_TRY(verify_store_entry(&rows, row, &account_id, &entry));
		RT_TRY(feed(verification, walk, &rows, row, &entry));
	}
	*more = rows.count == PAGE_ENTRIES;
	rt_pace_end(verification->pace, began_us);
	return tell(verification);
}

static void check_history(const struct verification *verification,
			  const struct verify_account *account)
{
	if (account->broken_version == 0)
		return;
	struct discrepancy discrepancy =
		discrepancy_make(DISCREPANCY_METADATA_DIFFERS, &account->account.id, NULL,
				 "version %lld does not follow from its creation and its changes",
				 (long long)account->broken_version);
	verification_report(verification, &discrepancy);
}

/* Entries up to the one that the list counted are there for good: they need no snapshot. What came
 * since is read with the account's row, in the arena. */
static struct rt_status walk_through(struct verification *verification,
				     const struct verify_listed *listed, struct verify_walk *walk,
				     struct rt_arena *arena)
{
	struct verify_account *accounts;
	size_t count;
	bool more = true;
	while (more && walk->seen.sequence < listed->sequence) {
		give_way(verification);
		RT_TRY(feed_page(verification, walk, &more));
	}

	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	RT_TRY(rt_pg_begin_snapshot(verification->pg, verification_step_deadline_us(verification),
				    &tx));
	RT_TRY(verify_store_accounts(verification->pg, &verification->ledger_id, &listed->id, 1,
				     arena, verification_step_deadline_us(verification), &accounts,
				     &count));
	if (count == 0)
		return rt_ok();
	walk->limits = accounts[0].limits;
	walk->limit_count = accounts[0].limit_count;
	for (more = true; more;)
		RT_TRY(feed_page(verification, walk, &more));
	verify_end(walk, &accounts[0].account);
	if (!walk->again)
		check_history(verification, &accounts[0]);
	return verification_compare_rest(verification);
}

static struct rt_status verify_large(struct verification *verification,
				     const struct verify_listed *listed)
{
	struct verify_account *accounts;
	struct verify_walk walk;
	size_t count;
	RT_TRY(verify_store_accounts(
		verification->pg, &verification->ledger_id, &listed->id, 1, &verification->arena,
		verification_step_deadline_us(verification), &accounts, &count));
	if (count == 0)
		return rt_ok();
	RT_TRY(verify_begin(&walk, &accounts[0].account, accounts[0].limits,
			    accounts[0].limit_count, HOLDS_FOLLOWED, &verification->arena,
			    &verification->sink));
	do {
		CLEANUP(rt_arena_deinit) struct rt_arena arena;
		rt_arena_init(&arena, GROUP_ARENA_BYTES);
		RT_TRY(walk_through(verification, listed, &walk, &arena));
	} while (verify_again(&walk));
	return rt_ok();
}

static struct rt_status begin_walks(struct verification *verification,
				    const struct verify_account *accounts, size_t count,
				    struct verify_walk **walks)
{
	*walks = rt_arena_array(&verification->arena, count, sizeof(**walks));
	if (*walks == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "LEDGER_TOO_LARGE",
			       "the verification needs too much memory");
	for (size_t i = 0; i < count; i++)
		RT_TRY(verify_begin(&(*walks)[i], &accounts[i].account, accounts[i].limits,
				    accounts[i].limit_count, HOLDS_FOLLOWED, &verification->arena,
				    &verification->sink));
	return rt_ok();
}

/* Entries come by account, in the order of the walks. */
static struct rt_status feed_rows(struct verification *verification, const struct rt_pg_rows *rows,
				  struct verify_walk *walks, size_t count)
{
	size_t place = 0;
	for (int row = 0; row < rows->count; row++) {
		struct rt_uuid account_id;
		struct verify_entry entry;
		RT_TRY(verify_store_entry(rows, row, &account_id, &entry));
		while (place < count && rt_uuid_compare(&walks[place].account_id, &account_id) < 0)
			place++;
		if (place < count && rt_uuid_equal(&walks[place].account_id, &account_id))
			RT_TRY(feed(verification, &walks[place], rows, row, &entry));
	}
	return rt_ok();
}

static struct rt_status verify_small(struct verification *verification, const struct rt_uuid *ids,
				     size_t id_count)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct verify_account *accounts;
	struct verify_walk *walks;
	size_t count;
	struct rt_arena *arena = &verification->arena;
	RT_TRY(rt_pg_begin_snapshot(verification->pg, verification_step_deadline_us(verification),
				    &tx));
	RT_TRY(verify_store_accounts(verification->pg, &verification->ledger_id, ids, id_count,
				     arena, verification_step_deadline_us(verification), &accounts,
				     &count));
	RT_TRY(begin_walks(verification, accounts, count, &walks));
	RT_TRY(verify_store_entries(verification->pg, &verification->ledger_id, ids, id_count,
				    arena, verification_step_deadline_us(verification), &rows));
	RT_TRY(feed_rows(verification, &rows, walks, count));
	for (size_t i = 0; i < count; i++) {
		verify_end(&walks[i], &accounts[i].account);
		check_history(verification, &accounts[i]);
	}
	return verification_compare_rest(verification);
}

static struct rt_status verify_group(struct verification *verification,
				     const struct verify_listed *listed, size_t count)
{
	struct rt_uuid ids[GROUP_ACCOUNTS];
	int64_t began_us = give_way(verification);
	rt_arena_deinit(&verification->arena);
	RT_TRY(plans_refresh(&verification->plans, verification->pg, rt_clock_mono_us(),
			     verification_step_deadline_us(verification)));
	if (count == 1 && listed[0].sequence > GROUP_ENTRIES) {
		RT_TRY(verify_large(verification, &listed[0]));
	} else {
		for (size_t i = 0; i < count; i++)
			ids[i] = listed[i].id;
		RT_TRY(verify_small(verification, ids, count));
		rt_pace_end(verification->pace, began_us);
	}
	verification->progress.accounts += (int64_t)count;
	return tell(verification);
}

/* How many of the accounts go together. */
static size_t group_of(const struct verify_listed *listed, size_t count)
{
	size_t taken = 1;
	int64_t entries = listed[0].sequence;
	while (taken < count && taken < GROUP_ACCOUNTS && entries <= GROUP_ENTRIES &&
	       listed[taken].sequence <= GROUP_ENTRIES - entries)
		entries += listed[taken++].sequence;
	return taken;
}

static struct rt_status verify_accounts(struct verification *verification)
{
	struct rt_uuid after = {0};
	for (;;) {
		struct verify_listed *listed;
		size_t count;
		rt_arena_deinit(&verification->list_arena);
		RT_TRY(verify_store_list(verification->pg, &verification->ledger_id, &after,
					 LIST_ACCOUNTS, &verification->list_arena,
					 verification_step_deadline_us(verification), &listed,
					 &count));
		if (count == 0)
			return rt_ok();
		for (size_t done = 0; done < count;) {
			size_t together = group_of(listed + done, count - done);
			RT_TRY(verify_group(verification, listed + done, together));
			done += together;
		}
		after = listed[count - 1].id;
	}
}

/* What follows an id is looked at, and the id becomes the last of it; nil: that was all. Ends the
 * turn that began then before it reports, which may wait for the caller. */
typedef struct rt_status verify_page(struct verification *verification, struct rt_uuid *after,
				     int64_t began_us);

static struct rt_status verify_pages(struct verification *verification, verify_page *page)
{
	struct rt_uuid after = {0};
	do {
		int64_t began_us = give_way(verification);
		rt_arena_deinit(&verification->arena);
		RT_TRY(page(verification, &after, began_us));
		RT_TRY(tell(verification));
	} while (!rt_uuid_is_nil(&after));
	return rt_ok();
}

/* Holds that no transfer made, or not like this. */
static struct rt_status verify_holds(struct verification *verification, struct rt_uuid *after,
				     int64_t began_us)
{
	struct verify_stray *strays;
	size_t count;
	RT_TRY(verify_store_strays(verification->pg, &verification->ledger_id, after, HOLDS_AT_ONCE,
				   &verification->arena,
				   verification_step_deadline_us(verification), &strays, &count));
	rt_pace_end(verification->pace, began_us);
	for (size_t i = 0; i < count; i++) {
		struct discrepancy discrepancy = discrepancy_make(
			DISCREPANCY_HOLD_DIFFERS, &strays[i].account_id, &strays[i].hold_id,
			"no transfer made the hold that is on record");
		verification_report(verification, &discrepancy);
	}
	return rt_ok();
}

static struct rt_status verify_reversals(struct verification *verification, struct rt_uuid *after,
					 int64_t began_us)
{
	struct verify_ids originals;
	RT_TRY(verify_store_originals(verification->pg, &verification->ledger_id, after,
				      ORIGINALS_AT_ONCE, &verification->arena,
				      verification_step_deadline_us(verification), &originals));
	*after = originals.count == 0 ? (struct rt_uuid){0} : originals.ids[originals.count - 1];
	RT_TRY(verification_compare_reversed(verification, originals.ids, originals.count, true));
	rt_pace_end(verification->pace, began_us);
	return rt_ok();
}

/* Accounts that the ledger has not: their entries belong to nobody who was gone through. */
static struct rt_status verify_names(struct verification *verification, struct rt_uuid *after,
				     int64_t began_us)
{
	struct verify_ids unknown;
	RT_TRY(verify_store_unknown(verification->pg, &verification->ledger_id, after,
				    NAMES_AT_ONCE, &verification->arena,
				    verification_step_deadline_us(verification), &unknown));
	rt_pace_end(verification->pace, began_us);
	for (size_t i = 0; i < unknown.count; i++) {
		struct discrepancy discrepancy = discrepancy_make(
			DISCREPANCY_ACCOUNT_UNKNOWN, &unknown.ids[i], NULL,
			"there are transfers of an account that the ledger has not");
		verification_report(verification, &discrepancy);
	}
	return rt_ok();
}

static struct rt_status verify_declines(struct verification *verification, struct rt_uuid *after,
					int64_t began_us)
{
	struct verify_declined *declines;
	size_t count;
	RT_TRY(verify_store_declines(verification->pg, &verification->ledger_id, after,
				     DECLINES_AT_ONCE, &verification->arena,
				     verification_step_deadline_us(verification), &declines,
				     &count));
	rt_pace_end(verification->pace, began_us);
	for (size_t i = 0; i < count; i++) {
		struct discrepancy discrepancy = discrepancy_make(
			DISCREPANCY_DECLINE_DIFFERS, NULL, &declines[i].transfer_id,
			declines[i].posted ? "the id is posted, too"
					   : "its group was not declined like this");
		verification_report(verification, &discrepancy);
	}
	return rt_ok();
}

static struct rt_status verify_trial_balance(struct verification *verification)
{
	struct verify_unbalanced *unbalanced;
	size_t count;
	rt_arena_deinit(&verification->arena);
	RT_TRY(verify_store_unbalanced(
		verification->pg, &verification->ledger_id, &verification->arena,
		verification_step_deadline_us(verification), &unbalanced, &count));
	for (size_t i = 0; i < count; i++) {
		struct discrepancy discrepancy =
			discrepancy_make(DISCREPANCY_TRIAL_BALANCE_DIFFERS, NULL, NULL, "%s: %s",
					 unbalanced[i].currency, unbalanced[i].sums);
		verification_report(verification, &discrepancy);
	}
	return rt_ok();
}

static struct rt_status verify_all(struct verification *verification)
{
	struct ledger ledger;
	RT_TRY(ledger_store_get(verification->pg, &verification->ledger_id,
				&verification->list_arena,
				verification_step_deadline_us(verification), &ledger));
	RT_TRY(verify_accounts(verification));
	RT_TRY(verify_pages(verification, verify_holds));
	RT_TRY(verify_pages(verification, verify_reversals));
	RT_TRY(verify_pages(verification, verify_names));
	RT_TRY(verify_pages(verification, verify_declines));
	RT_TRY(verify_trial_balance(verification));
	return tell(verification);
}

struct rt_status verification_run(struct rt_pg *pg, struct rt_pace *pace,
				  const struct rt_uuid *ledger_id, int64_t deadline_us,
				  const struct verification_observer *observer)
{
	struct verification *verification = calloc(1, sizeof(*verification));
	RT_ASSERT(verification != NULL);
	verification->pg = pg;
	verification->pace = pace;
	verification->ledger_id = *ledger_id;
	verification->deadline_us = deadline_us;
	verification->observer = observer;
	verification->sink = (struct verify_sink){
		.found = take_found,
		.hold = verification_take_hold,
		.reversal = verification_take_reversal,
		.context = verification,
	};
	rt_arena_init(&verification->list_arena, GROUP_ARENA_BYTES);
	rt_arena_init(&verification->arena, GROUP_ARENA_BYTES);
	struct rt_status status = verify_all(verification);
	rt_arena_deinit(&verification->arena);
	rt_arena_deinit(&verification->list_arena);
	free(verification);
	return status;
}
