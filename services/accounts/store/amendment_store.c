#include "store/amendment_store.h"

#include "accounts.sql.h"
#include "store/rows.h"

static const struct rt_pg_statement find_statement = {"account_change_get",
						      accounts_account_change_get};
static const struct rt_pg_statement amend_statement = {"account_amend", accounts_account_amend};
static const struct rt_pg_statement record_statement = {"account_change_insert",
							accounts_account_change_insert};

static void add_limit(struct rt_pg_params *params, const struct account_limit *limit)
{
	if (limit->set)
		rt_pg_add_int(params, limit->amount_minor);
	else
		rt_pg_add_null(params, RT_PG_BIGINT);
}

static void begin_params(struct rt_pg_params *params, struct rt_arena *arena,
			 const struct account_record *record)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, &record->ledger_id);
	rt_pg_add_uuid(params, &record->account.id);
}

struct rt_status amendment_store_find(struct rt_pg_tx *tx, int64_t version, struct rt_arena *arena,
				      struct account_record *record,
				      uint8_t hash[AMENDMENT_HASH_BYTES], bool *found)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	begin_params(&params, arena, record);
	rt_pg_add_int(&params, version);
	RT_TRY(rt_pg_run(tx->pg, &find_statement, &params, tx->deadline_mono_us, &rows));
	*found = rows.count == 1;
	if (!*found)
		return rt_ok();
	RT_TRY(rows_hash(&rows, 0, 0, hash));
	RT_TRY(rows_status(&rows, 0, 1, &record->account.status));
	record->account.lower = rows_limit(&rows, 0, 2);
	record->account.upper = rows_limit(&rows, 0, 3);
	record->account.credit_line_minor = rt_pg_int(&rows, 0, 4);
	record->version = version;
	return rows_text(&rows, 0, 5, arena, &record->label);
}

static struct rt_status explain(struct rt_status status)
{
	if (status.code == RT_FAILED_PRECONDITION)
		return RT_FAIL(INTERNAL, "INVARIANT_BROKEN", "constraint %s refused a change",
			       status.field);
	return status;
}

static struct rt_status amend(struct rt_pg_tx *tx, const struct account_record *after,
			      struct rt_arena *arena)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;
	begin_params(&params, arena, after);
	rt_pg_add_int(&params, after->version);
	rt_pg_add_text(&params, after->label);
	rt_pg_add_int(&params, (int64_t)after->account.status);
	add_limit(&params, &after->account.lower);
	add_limit(&params, &after->account.upper);
	rt_pg_add_int(&params, after->account.credit_line_minor);
	RT_TRY(explain(rt_pg_run(tx->pg, &amend_statement, &params, tx->deadline_mono_us, &rows)));
	if (rt_pg_affected(&rows) != 1)
		return RT_FAIL(INTERNAL, "INVARIANT_BROKEN", "a change missed its account");
	return rt_ok();
}

static void add_author(struct rt_pg_params *params, const struct amendment_author *author)
{
	rt_pg_add_uuid(params, rt_uuid_is_nil(&author->user_id) ? NULL : &author->user_id);
	rt_pg_add_text(params, author->identity);
}

static struct rt_status add_change(struct rt_pg_tx *tx, const struct account_record *before,
				   const struct account_record *after,
				   const uint8_t hash[AMENDMENT_HASH_BYTES],
				   const struct amendment_author *author, int64_t now_us,
				   struct rt_arena *arena)
{
	struct rt_pg_params params;
	begin_params(&params, arena, after);
	rt_pg_add_int(&params, after->version);
	rt_pg_add_int(&params, before->account.state.sequence);
	rt_pg_add_time(&params, now_us);
	add_author(&params, author);
	rt_pg_add_bytes(&params, hash, AMENDMENT_HASH_BYTES);
	rt_pg_add_int(&params, (int64_t)before->account.status);
	rt_pg_add_int(&params, (int64_t)after->account.status);
	add_limit(&params, &before->account.lower);
	add_limit(&params, &after->account.lower);
	add_limit(&params, &before->account.upper);
	add_limit(&params, &after->account.upper);
	rt_pg_add_int(&params, before->account.credit_line_minor);
	rt_pg_add_int(&params, after->account.credit_line_minor);
	rt_pg_add_text(&params, before->label);
	rt_pg_add_text(&params, after->label);
	return explain(rt_pg_run(tx->pg, &record_statement, &params, tx->deadline_mono_us, NULL));
}

struct rt_status amendment_store_write(struct rt_pg_tx *tx, const struct account_record *before,
				       const struct account_record *after,
				       const uint8_t hash[AMENDMENT_HASH_BYTES],
				       const struct amendment_author *author, int64_t now_us,
				       struct rt_arena *arena)
{
	RT_TRY(amend(tx, after, arena));
	return add_change(tx, before, after, hash, author, now_us, arena);
}
