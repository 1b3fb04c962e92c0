#include "stream.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "accounts_cases.h"
#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "world.h"

#define STREAMS     2
/* As many as the service takes from one stream before it answers. */
#define WINDOW      1000
#define CALL_US_MAX (3600 * RT_US_PER_S)

static const struct rt_remote post_stream = {
	.service = "daler.accounts.v1.AccountsService",
	.name = "PostStream",
	.reply = &daler__accounts__v1__post_stream_response__descriptor,
	.repeatable = true,
};

/* A group in flight, in the order in which its outcomes must come. */
struct asked {
	struct rt_uuid id;
	int64_t begun_us;
};

struct streams {
	int64_t count_from_us;
	int64_t stop_us;
	size_t message_groups;
	struct load_result *result; /* the client's thread's, until all streams are done */
	struct rt_lock lock;
	pthread_cond_t idle;
	size_t running;
};

struct stream {
	struct streams *all;
	struct slot slot;
	Daler__Accounts__V1__PostStreamRequest request;
	Daler__Accounts__V1__Group *groups[WINDOW];
	struct asked asked[WINDOW];
	size_t first;
	size_t count;
};

/* The next group, noted as in flight. */
static Daler__Accounts__V1__Group *ask(struct stream *stream)
{
	Daler__Accounts__V1__Group *group = accounts_group(&stream->slot);
	struct asked *asked = &stream->asked[(stream->first + stream->count++) % WINDOW];
	RT_ASSERT(rt_uuid_parse(group->transfers[0]->transfer_id, &asked->id));
	asked->begun_us = rt_clock_mono_us();
	return group;
}

static const ProtobufCMessage *next(void *context, enum rt_exchange_then *then)
{
	struct stream *stream = context;
	if (rt_clock_mono_us() >= stream->all->stop_us) {
		*then = RT_EXCHANGE_END;
		return NULL;
	}
	size_t message_groups = stream->all->message_groups;
	if (stream->count + message_groups > WINDOW)
		return NULL;
	rt_arena_deinit(&stream->slot.arena);
	for (size_t i = 0; i < message_groups; i++)
		stream->groups[i] = ask(stream);
	stream->request.groups = stream->groups;
	stream->request.n_groups = message_groups;
	*then = stream->count + message_groups <= WINDOW ? RT_EXCHANGE_MORE : RT_EXCHANGE_WAIT;
	return &stream->request.base;
}

static bool is_right(const struct stream *stream, const Daler__Accounts__V1__Outcome *outcome)
{
	struct rt_uuid id;
	return stream->count > 0 && outcome != NULL && !outcome->replayed &&
	       rt_uuid_parse(outcome->group_id, &id) &&
	       rt_uuid_equal(&id, &stream->asked[stream->first].id) &&
	       outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED &&
	       outcome->posted->n_transfers == 1;
}

static void fail(struct load_result *result, const char *what, const char *detail)
{
	if (result->wrong++ == 0)
		(void)snprintf(result->first_error, sizeof(result->first_error), "%s %s", what,
			       detail);
}

static void take_outcome(struct stream *stream, const Daler__Accounts__V1__Outcome *outcome,
			 int64_t now_us)
{
	struct load_result *result = stream->all->result;
	if (!is_right(stream, outcome)) {
		fail(result, "stream", "an outcome is not the next group's");
		return;
	}
	if (now_us >= stream->all->count_from_us && now_us <= stream->all->stop_us) {
		result->calls++;
		result->units++;
		histogram_add(&result->latency, now_us - stream->asked[stream->first].begun_us);
	}
	stream->first = (stream->first + 1) % WINDOW;
	stream->count--;
}

static void answered(void *context, const ProtobufCMessage *message)
{
	const Daler__Accounts__V1__PostStreamResponse *response =
		(const Daler__Accounts__V1__PostStreamResponse *)message;
	int64_t now_us = rt_clock_mono_us();
	for (size_t i = 0; i < response->n_outcomes; i++)
		take_outcome(context, response->outcomes[i], now_us);
}

static void ended(void *context, struct rt_status status, const ProtobufCMessage *reply)
{
	struct stream *stream = context;
	struct streams *all = stream->all;
	(void)reply;
	if (!rt_is_ok(&status))
		fail(all->result, rt_code_name(status.code), status.detail);
	else if (stream->count > 0)
		fail(all->result, "stream", "it ended with groups unanswered");
	RT_LOCKED(&all->lock);
	all->running--;
	if (all->running == 0)
		pthread_cond_signal(&all->idle);
}

static void start(struct stream *stream, struct streams *all, struct rt_channel *channel,
		  const struct load_world *world, size_t index)
{
	stream->all = all;
	load_slot_init(&stream->slot, world, index);
	daler__accounts__v1__post_stream_request__init(&stream->request);
	static char ledger_id[RT_UUID_TEXT_BYTES];
	memcpy(ledger_id, world->ledger_id, sizeof(ledger_id));
	stream->request.ledger_id = ledger_id;
	const struct rt_call_options options = {
		.deadline_mono_us = rt_clock_mono_us() + CALL_US_MAX, .wait_for_ready = true};
	rt_channel_exchange(channel, &post_stream, &options, next, answered, ended, stream);
}

void stream_run(struct rt_channel *channel, const struct load_world *world, size_t message_groups,
		int64_t duration_us, struct load_result *result)
{
	static struct stream streams[STREAMS];
	int64_t now_us = rt_clock_mono_us();
	struct streams all = {
		.count_from_us = now_us + duration_us / 10,
		.stop_us = now_us + duration_us / 10 + duration_us,
		.message_groups = message_groups,
		.result = result,
		.running = STREAMS,
	};
	result->duration_us = duration_us;
	rt_lock_init(&all.lock, RT_RANK_SERVICE);
	rt_condition_init(&all.idle);
	for (size_t i = 0; i < STREAMS; i++)
		start(&streams[i], &all, channel, world, i);
	rt_lock_take(&all.lock);
	while (all.running > 0)
		(void)rt_lock_wait(&all.lock, &all.idle, RT_NO_DEADLINE);
	rt_lock_give(&all.lock);
	for (size_t i = 0; i < STREAMS; i++)
		rt_arena_deinit(&streams[i].slot.arena);
	pthread_cond_destroy(&all.idle);
	rt_lock_deinit(&all.lock);
}
