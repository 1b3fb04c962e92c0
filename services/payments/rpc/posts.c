/* See posts.h. Ids of transfers are derived from the payment's, as they were when it was posted. */
#include "rpc/posts.h"

#include "domain/posts.h"

typedef Daler__Payments__V1__LedgerPost post_message;
typedef Daler__Payments__V1__LedgerTransfer transfer_message;

static const char *const outcome_names[] = {
	[POST_WAITS] = "waiting", [POST_POSTED] = "posted", [POST_DECLINED] = "declined"};
static const char *const move_names[] = {[LEDGER_DIRECT] = "direct",
					 [LEDGER_HOLD] = "hold",
					 [LEDGER_CAPTURE] = "capture",
					 [LEDGER_RELEASE] = "release"};

static transfer_message *map_transfer(const struct payment_record *record,
				      const struct ledger_transfer *transfer, uint32_t take,
				      int64_t amount_minor, struct rt_arena *arena)
{
	transfer_message *message = rt_arena_alloc(arena, sizeof(*message));
	struct rt_uuid id = ledger_transfer_id(&record->standing.payment_id, transfer->name, take);
	struct rt_uuid sides[LEDGER_SIDES];

	if (message == NULL)
		return NULL;
	payment_sides(&record->request, sides);
	daler__payments__v1__ledger_transfer__init(message);
	message->transfer_id = map_uuid(&id, arena);
	message->kind = map_lent(move_names[transfer->move]);
	message->debit_account_id = map_uuid(&sides[transfer->debit], arena);
	message->credit_account_id = map_uuid(&sides[transfer->credit], arena);
	message->amount_minor = amount_minor;
	return message;
}

static void map_transfers(const struct payment_record *record, const struct saga_step *step,
			  uint32_t take, struct rt_arena *arena, post_message *message)
{
	const int64_t amounts[] = {[AMOUNT_WHOLE] = record->request.amount_minor,
				   [AMOUNT_FEE] = record->request.fee_minor};

	message->transfers = rt_arena_array(arena, SAGA_TRANSFERS_MAX, sizeof(transfer_message *));
	for (size_t i = 0; message->transfers != NULL && i < SAGA_TRANSFERS_MAX; i++) {
		const struct ledger_transfer *transfer = &step->transfers[i];

		if (transfer->name != NULL && amounts[transfer->amount] > 0)
			message->transfers[message->n_transfers++] = map_transfer(
				record, transfer, take, amounts[transfer->amount], arena);
	}
}

/* `event`: the change that it led to; NULL: none yet. `take`: how often the step was declined
 * before. */
static void add(const struct payment_record *record, const struct payment_post *post, uint32_t take,
		const struct payment_event *event, struct rt_arena *arena,
		Daler__Payments__V1__GetPaymentResponse *reply)
{
	post_message *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return;
	daler__payments__v1__ledger_post__init(message);
	message->step = map_lent(post->step->name);
	message->ledger_id = map_uuid(post->step->party == PARTY_REMOTE_LEDGER
					      ? &record->request.remote_ledger_id
					      : &record->request.ledger_id,
				      arena);
	message->outcome = map_lent(outcome_names[post->outcome]);
	if (event != NULL) {
		message->version = event->version;
		message->time = map_time(event->create_time_us, arena);
		if (post->outcome == POST_DECLINED)
			message->reason = map_lent(event->reason);
	}
	map_transfers(record, post->step, take, arena, message);
	reply->posts[reply->n_posts++] = message;
}

struct rt_status posts_add(const struct payment_record *record, const struct payment_event *events,
			   size_t count, struct rt_arena *arena,
			   Daler__Payments__V1__GetPaymentResponse *reply)
{
	const struct saga_plan *plan = saga_plan_of(record->request.kind);
	uint32_t declines[PAYMENT_STATE_MAX + 1] = {0}; /* by the state that orders the step */
	struct payment_post post;

	reply->posts = rt_arena_array(arena, count + 1, sizeof(post_message *));
	for (size_t i = 1; reply->posts != NULL && i < count; i++) {
		bool with_first =
			events[i - 1].version == 1 && events[i].position == events[i - 1].position;
		uint32_t *before = &declines[events[i - 1].state];

		if (!payment_post_of(plan, events[i - 1].state, events[i].state, with_first, &post))
			continue;
		add(record, &post, *before, &events[i], arena, reply);
		*before += post.outcome == POST_DECLINED;
	}
	if (reply->posts != NULL && count > 0 &&
	    payment_post_awaited(plan, events[count - 1].state, &post))
		add(record, &post, declines[events[count - 1].state], NULL, arena, reply);
	return arena->overflowed
		       ? RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large")
		       : rt_ok();
}
