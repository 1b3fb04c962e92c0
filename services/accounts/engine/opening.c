#include "engine/opening.h"

#include <string.h>

#include "domain/uuid_table.h"
#include "engine/assets.h"
#include "rt/clock.h"
#include "rt/text.h"
#include "store/account_store.h"

struct rt_status opening_ledger(struct rt_pg *pg, struct ledger *ledger, struct rt_arena *arena,
				int64_t deadline_us, bool *replayed)
{
	bool inserted;
	RT_TRY(rt_text_field("name", ledger->name, 1, ACCOUNT_TEXT_CHARACTERS_MAX));
	ledger->created_us = rt_clock_wall_us();
	RT_TRY(ledger_store_insert(pg, ledger, arena, deadline_us, &inserted));
	*replayed = !inserted;
	if (inserted)
		return rt_ok();
	struct ledger stored;
	RT_TRY(ledger_store_get(pg, &ledger->id, arena, deadline_us, &stored));
	if (strcmp(stored.name, ledger->name) != 0)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
					       "there is a ledger with this id and another name"),
				       "ledger_id");
	*ledger = stored;
	return rt_ok();
}

static struct rt_status too_large(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE",
		       "the answer is too large; create fewer at once");
}

static struct rt_status check_all(struct account_record *records, size_t count,
				  struct uuid_table *by_id)
{
	if (count == 0 || count > OPENING_ACCOUNTS_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", "accounts", "must be 1 to %d, are %zu",
				    OPENING_ACCOUNTS_MAX, count);
	for (size_t i = 0; i < count; i++) {
		RT_TRY(rt_status_in(account_check_new(&records[i]), "accounts[%zu].", i));
		struct account_record *known =
			uuid_table_put(by_id, &records[i].account.id, &records[i]);
		if (known != &records[i])
			return rt_status_in(RT_BAD_FIELD("DUPLICATE_ID", "account_id",
							 "is that of accounts[%zu] too",
							 (size_t)(known - records)),
					    "accounts[%zu].", i);
	}
	return rt_ok();
}

/* Puts what is stored in the place of what was asked for. */
static struct rt_status accept_stored(const struct stored_account *stored, size_t count,
				      const struct account_record *records,
				      const struct uuid_table *by_id)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t hash[ACCOUNT_HASH_BYTES];
		char id[RT_UUID_TEXT_BYTES];
		struct account_record *record = uuid_table_get(by_id, &stored[i].record.account.id);
		if (record == NULL)
			return RT_FAIL(INTERNAL, "BAD_RECORD", "an account that nobody asked for");
		account_hash(record, hash);
		rt_uuid_format(&record->account.id, id);
		if (memcmp(hash, stored[i].hash, sizeof(hash)) != 0)
			return rt_status_in(
				rt_status_about(
					RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
						"account %s was created with other content", id),
					"account_id"),
				"accounts[%zu].", (size_t)(record - records));
		*record = stored[i].record;
	}
	return rt_ok();
}

struct rt_status opening_accounts(struct rt_pg *pg, struct account_record *records, size_t count,
				  struct rt_arena *arena, int64_t deadline_us, bool *replayed)
{
	struct uuid_table by_id;
	if (!uuid_table_init(&by_id, arena, count))
		return too_large();
	RT_TRY(check_all(records, count, &by_id));
	RT_TRY(assets_check_accounts(pg, records, count, arena, deadline_us));
	int64_t now_us = rt_clock_wall_us();
	for (size_t i = 0; i < count; i++)
		records[i].created_us = now_us;

	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};
	struct stored_account *stored;
	size_t inserted;
	RT_TRY(rt_pg_begin(pg, deadline_us, &tx));
	RT_TRY(account_store_create(&tx, records, count, arena, &inserted, &stored));
	RT_TRY(accept_stored(stored, count, records, &by_id));
	*replayed = inserted == 0;
	return rt_pg_commit(&tx);
}
