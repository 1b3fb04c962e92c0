/* See operations_store.h. */
#include "store/operations_store.h"

#include "payments.sql.h"
#include "store/payment_ending.h"
#include "store/payment_record.h"
#include "store/wake_store.h"

static const struct rt_pg_statement list_stuck = {"payments_list_stuck", payments_read_stuck};
static const struct rt_pg_statement list_actions = {"payments_list_actions", payments_read_actions};
static const struct rt_pg_statement read_origin = {"payments_read_origin", payments_read_origin};
static const struct rt_pg_statement lock_payment = {"payments_lock", payments_lock_payment};
static const struct rt_pg_statement change_by_operator = {"payments_change_by_operator",
							  payments_change_by_operator};
static const struct rt_pg_statement insert_event = {"payments_insert_operator_event",
						    payments_insert_operator_event};
static const struct rt_pg_statement insert_action = {"payments_insert_action",
						     payments_insert_action};

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the result is too large");
}

static void read_stuck(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
		       struct stuck_payment *payment)
{
	const int at = PAYMENT_RECORD_COLUMNS;

	*payment = (struct stuck_payment){.last_error = ""};
	payment_record_read(rows, row, arena, &payment->record);
	if (rt_pg_bool(rows, row, at))
		payment->worker_id = rt_pg_uuid(rows, row, at + 1);
	if (rt_pg_is_null(rows, row, at + 2))
		return;
	payment->attempts = rt_pg_int(rows, row, at + 2);
	payment->last_error = rt_arena_strdup(arena, rt_pg_text(rows, row, at + 3));
	payment->try_us = rt_pg_time_us(rows, row, at + 4);
	payment->next_us = rt_pg_time_us(rows, row, at + 5);
}

struct rt_status operations_store_stuck(struct rt_pg *pg, const struct stuck_filter *filter,
					struct rt_arena *arena, int64_t deadline_mono_us,
					struct stuck_payment **payments, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &filter->ledger_id);
	rt_pg_add_uuid(&params, &filter->after);
	rt_pg_add_time(&params, filter->before_us);
	rt_pg_add_int(&params, filter->limit);
	RT_TRY(rt_pg_run(pg, &list_stuck, &params, deadline_mono_us, &rows));
	*payments = rt_arena_array(arena, (size_t)rows.count, sizeof(**payments));
	*count = (size_t)rows.count;
	for (int row = 0; *payments != NULL && row < rows.count; row++)
		read_stuck(&rows, row, arena, &(*payments)[row]);
	return arena->overflowed ? out_of_arena() : rt_ok();
}

struct rt_status operations_store_actions(struct rt_pg *pg, const struct action_filter *filter,
					  struct rt_arena *arena, int64_t deadline_mono_us,
					  struct operator_action **actions, size_t *count)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &filter->ledger_id);
	rt_pg_add_uuid(&params, &filter->before);
	rt_pg_add_uuid(&params, rt_uuid_is_nil(&filter->payment_id) ? NULL : &filter->payment_id);
	rt_pg_add_int(&params, filter->kind);
	rt_pg_add_int(&params, filter->limit);
	RT_TRY(rt_pg_run(pg, &list_actions, &params, deadline_mono_us, &rows));
	*actions = rt_arena_array(arena, (size_t)rows.count, sizeof(**actions));
	*count = (size_t)rows.count;
	for (int row = 0; *actions != NULL && row < rows.count; row++) {
		(*actions)[row] = (struct operator_action){
			.ledger_id = filter->ledger_id,
			.action_id = rt_pg_uuid(&rows, row, 0),
			.payment_id = rt_pg_uuid(&rows, row, 1),
			.kind = (enum operator_action_kind)rt_pg_int(&rows, row, 2),
			.actor = rt_arena_strdup(arena, rt_pg_text(&rows, row, 3)),
			.outcome = (int)rt_pg_int(&rows, row, 4),
			.reason = rt_arena_strdup(arena, rt_pg_text(&rows, row, 5)),
			.reference = rt_arena_strdup(arena, rt_pg_text(&rows, row, 6)),
			.from_state = (enum payment_state)rt_pg_int(&rows, row, 7),
			.create_us = rt_pg_time_us(&rows, row, 8),
		};
	}
	return arena->overflowed ? out_of_arena() : rt_ok();
}

struct rt_status operations_store_origin(struct rt_pg *pg, const struct payment_record *record,
					 struct rt_arena *arena, int64_t deadline_mono_us,
					 struct payment_origin *origin)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &record->standing.payment_id);
	rt_pg_add_uuid(&params, &record->request.ledger_id);
	RT_TRY(rt_pg_run(pg, &read_origin, &params, deadline_mono_us, &rows));
	if (rows.count == 0)
		return RT_FAIL(NOT_FOUND, "PAYMENT_NOT_FOUND", "there is no such payment");
	*origin = (struct payment_origin){
		.kind = (enum payment_kind)rt_pg_int(&rows, 0, 0),
		.parent_id = record->request.parent_id,
		.amount_minor = record->request.amount_minor,
		.state = (enum payment_state)rt_pg_int(&rows, 0, 1),
		.version = rt_pg_int(&rows, 0, 2),
		.fence = rt_pg_int(&rows, 0, 3),
		.from = (enum payment_state)rt_pg_int(&rows, 0, 4),
	};
	return rt_ok();
}

static struct rt_status changed_meanwhile(void)
{
	return RT_FAIL(ABORTED, "VERSION_CONFLICT", "the payment has changed meanwhile");
}

static void place_params(struct rt_pg_params *params, struct rt_arena *arena,
			 const struct operator_action *action, const struct payment_origin *origin)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_uuid(params, &action->payment_id);
	rt_pg_add_uuid(params, &action->ledger_id);
	rt_pg_add_int(params, origin->version);
	rt_pg_add_int(params, origin->fence);
}

static struct rt_status lock(struct rt_pg *pg, const struct operator_action *action,
			     const struct operator_change *change, struct rt_arena *arena,
			     int64_t deadline_mono_us)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	place_params(&params, arena, action, &change->origin);
	RT_TRY(rt_pg_run(pg, &lock_payment, &params, deadline_mono_us, &rows));
	return rows.count == 0 ? changed_meanwhile() : rt_ok();
}

static struct rt_status move(struct rt_pg *pg, const struct operator_action *action,
			     const struct operator_change *change, struct rt_arena *arena,
			     int64_t deadline_mono_us)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	place_params(&params, arena, action, &change->origin);
	rt_pg_add_int(&params, change->state);
	rt_pg_add_bool(&params, payment_state_open(change->state));
	rt_pg_add_text(&params, change->reason);
	rt_pg_add_time(&params, action->create_us);
	RT_TRY(rt_pg_run(pg, &change_by_operator, &params, deadline_mono_us, &rows));
	if (rows.count == 0)
		return changed_meanwhile();
	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &action->ledger_id);
	rt_pg_add_uuid(&params, &action->payment_id);
	rt_pg_add_int(&params, change->origin.version + 1);
	rt_pg_add_int(&params, change->origin.state);
	rt_pg_add_int(&params, change->state);
	rt_pg_add_text(&params, change->reason);
	rt_pg_add_time(&params, action->create_us);
	rt_pg_add_text(&params, action->actor);
	rt_pg_add_text(&params, change->evidence);
	return rt_pg_run(pg, &insert_event, &params, deadline_mono_us, NULL);
}

/* Whoever has it, this process too. */
static struct rt_status wake_owner(struct rt_pg *pg, const struct operator_action *action,
				   struct rt_arena *arena, int64_t deadline_mono_us)
{
	static const struct rt_uuid nobody = {0};

	return wake_store_put(pg, &action->payment_id, &nobody, arena, deadline_mono_us);
}

/* The wake comes before the change: afterwards the payment is nobody's. */
static struct rt_status write_change(struct rt_pg *pg, const struct operator_action *action,
				     const struct operator_change *change, struct rt_arena *arena,
				     int64_t deadline_mono_us)
{
	CLEANUP(payment_ending_deinit)
	struct payment_ending ending = {.advance = {.kind = change->origin.kind,
						    .ledger_id = action->ledger_id,
						    .payment_id = action->payment_id,
						    .parent_id = change->origin.parent_id,
						    .amount_minor = change->origin.amount_minor,
						    .change_count = 1,
						    .changes = {{change->state, change->reason}},
						    .time_us = action->create_us}};

	RT_TRY(payment_ending_lock(pg, &ending, arena));
	RT_TRY(lock(pg, action, change, arena, deadline_mono_us));
	RT_TRY(wake_owner(pg, action, arena, deadline_mono_us));
	RT_TRY(move(pg, action, change, arena, deadline_mono_us));
	return payment_ending_settle(pg, &ending, arena);
}

static struct rt_status write_action(struct rt_pg *pg, const struct operator_action *action,
				     struct rt_arena *arena, int64_t deadline_mono_us)
{
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &action->ledger_id);
	rt_pg_add_uuid(&params, &action->action_id);
	rt_pg_add_uuid(&params, &action->payment_id);
	rt_pg_add_int(&params, action->kind);
	rt_pg_add_text(&params, action->actor);
	rt_pg_add_int(&params, action->outcome);
	rt_pg_add_text(&params, action->reason);
	rt_pg_add_text(&params, action->reference);
	rt_pg_add_int(&params, action->from_state);
	rt_pg_add_int(&params, action->version);
	rt_pg_add_time(&params, action->create_us);
	return rt_pg_run(pg, &insert_action, &params, deadline_mono_us, NULL);
}

struct rt_status operations_store_act(struct rt_pg *pg, const struct operator_action *action,
				      const struct operator_change *change, struct rt_arena *arena,
				      int64_t deadline_mono_us)
{
	CLEANUP(rt_pg_tx_cleanup) struct rt_pg_tx tx = {0};

	RT_TRY(rt_pg_begin(pg, deadline_mono_us, &tx));
	RT_TRY(change == NULL ? wake_owner(pg, action, arena, deadline_mono_us)
			      : write_change(pg, action, change, arena, deadline_mono_us));
	RT_TRY(write_action(pg, action, arena, deadline_mono_us));
	return rt_pg_commit(&tx);
}
