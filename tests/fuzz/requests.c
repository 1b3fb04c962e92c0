/* The requests of accounts: bytes are unpacked as the server does it, and handed to the method's
 * own handler, whose database is out of reach and whose posting engine knows no account. The first
 * byte chooses the method, the second who calls. Nothing that passed the checks may be what they
 * promise to keep out, and each call is ended once. */
#include <stdlib.h>
#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/background.h"
#include "engine/posting.h"
#include "engine/wanted.h"
#include "fuzz.h"
#include "rpc/handlers.h"
#include "rpc/message.h"
#include "rpc/service.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/rpc_server.h"
#include "sample.h"

/* As in the service's main.c. */
#define CALL_ARENA_BYTES ((size_t)96 << 20)
#define BOOK_ARENA_BYTES ((size_t)128 << 20)
#define VARIANTS         6
#define MESSAGES_MAX     2 /* of a bidirectional stream: the same one again */

static const struct rt_method methods[] = {
#define METHOD RT_METHOD
#include "methods.def"
#undef METHOD
};
#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* ---- the call, in place of the server's ---- */

struct rt_call {
	const struct rt_method *method;
	struct rt_arena arena;
	const ProtobufCMessage *request;
	struct rt_caller caller;
	struct accounts_worker worker;
	void *context;
	void (*destroy)(void *context);
	bool next, ended;
};

static struct accounts_service service;

void *rt_call_service(const struct rt_call *call)
{
	(void)call;
	return &service;
}

void *rt_call_worker(const struct rt_call *call)
{
	return call->method->run == RT_RUN_INLINE ? NULL : (void *)(uintptr_t)&call->worker;
}

const ProtobufCMessage *rt_call_request(const struct rt_call *call)
{
	return call->request;
}

struct rt_arena *rt_call_arena(struct rt_call *call)
{
	return &call->arena;
}

const struct rt_caller *rt_call_caller(const struct rt_call *call)
{
	return &call->caller;
}

int64_t rt_call_deadline_us(const struct rt_call *call)
{
	(void)call;
	return rt_clock_mono_us() + RT_US_PER_S;
}

const struct rt_trace *rt_call_trace(const struct rt_call *call)
{
	(void)call;
	return NULL;
}

bool rt_call_cancelled(const struct rt_call *call)
{
	(void)call;
	return false;
}

static void check_packs(const ProtobufCMessage *message)
{
	size_t length = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(length + 1);
	RT_ASSERT(bytes != NULL);
	RT_ASSERT(protobuf_c_message_pack(message, bytes) == length);
	free(bytes);
}

void rt_call_end(struct rt_call *call, struct rt_status status, const ProtobufCMessage *reply)
{
	RT_ASSERT(!call->ended);
	call->ended = true;
	RT_ASSERT(rt_is_ok(&status) || status.reason != NULL);
	RT_ASSERT(status.code != RT_INTERNAL);
	RT_ASSERT(memchr(status.field, 0, sizeof(status.field)) != NULL);
	if (rt_is_ok(&status) && reply != NULL)
		check_packs(reply);
}

void rt_call_add(struct rt_call *call, const ProtobufCMessage *part)
{
	RT_ASSERT(!call->ended);
	check_packs(part);
}

struct rt_status rt_call_send(struct rt_call *call, const ProtobufCMessage *message)
{
	RT_ASSERT(!call->ended);
	check_packs(message);
	return rt_ok();
}

void rt_call_next(struct rt_call *call)
{
	RT_ASSERT(!call->ended);
	RT_ASSERT(!call->next);
	call->next = true;
}

void rt_call_take_message(struct rt_call *call, struct rt_taken *taken)
{
	*taken = (struct rt_taken){.arena = call->arena};
	rt_arena_init(&call->arena, CALL_ARENA_BYTES);
}

void rt_call_drop_message(struct rt_call *call, struct rt_taken *taken)
{
	(void)call;
	rt_arena_deinit(&taken->arena);
}

size_t rt_call_send_room(struct rt_call *call)
{
	(void)call;
	return 1;
}

void rt_call_on_sent(struct rt_call *call, void (*sent)(struct rt_call *call, void *context),
		     void *context)
{
	(void)call;
	(void)sent;
	(void)context;
}

void rt_call_set_context(struct rt_call *call, void *context, void (*destroy)(void *context))
{
	RT_ASSERT(call->context == NULL);
	call->context = context;
	call->destroy = destroy;
}

void *rt_call_context(const struct rt_call *call)
{
	return call->context;
}

void rt_call_on_leave(struct rt_call *call, void (*leave)(struct rt_call *call, void *context),
		      void *context)
{
	(void)call;
	(void)leave;
	(void)context;
}

/* ---- the engines, in place of the service's ---- */

/* What reaches the posting engine has passed all checks. Its ledger has no account: whatever is
 * decided is a decline, or refused. */
struct rt_status posting_submit(struct posting *posting, struct posting_request *request,
				const struct rt_uuid *ledger_id, uint64_t caller,
				int64_t deadline_mono_us)
{
	struct rt_arena arena;
	struct posting_wanted wanted;
	struct book book;
	(void)posting;
	(void)caller;
	(void)deadline_mono_us;
	rt_arena_init(&arena, BOOK_ARENA_BYTES);
	request->item.key = *ledger_id;
	struct rt_status status = wanted_collect(&request, 1, &arena, &wanted);
	RT_ASSERT(rt_is_ok(&status));
	const struct book_size size = {.accounts = wanted.account_count,
				       .transfers = wanted.transfer_count,
				       .holds = wanted.hold_count,
				       .originals = wanted.original_count};
	status = book_init(&book, &arena, &size);
	RT_ASSERT(rt_is_ok(&status));
	book_set_time(&book, rt_clock_wall_us());
	struct outcome *outcomes =
		rt_arena_array(&arena, request->group_count, sizeof(outcomes[0]));
	RT_ASSERT(outcomes != NULL);
	for (size_t i = 0; i < request->group_count; i++) {
		status = group_check(&request->groups[i]);
		RT_ASSERT(rt_is_ok(&status));
		status = book_decide(&book, &request->groups[i], &outcomes[i]);
		RT_ASSERT(rt_is_ok(&status));
		RT_ASSERT(outcomes[i].record == NULL ||
			  outcomes[i].record->decline != DECLINE_NONE);
	}
	request->answer(request, rt_ok(), outcomes);
	rt_arena_deinit(&arena);
	return rt_ok();
}

struct rt_status background_start(struct background *background, background_run run, void *context)
{
	(void)background;
	(void)run;
	(void)context;
	return RT_FAIL(RESOURCE_EXHAUSTED, "TOO_MANY_VERIFICATIONS",
		       "as many as there may be are under way");
}

/* ---- the database, in place of the runtime's ---- */

static struct rt_status out_of_reach(void)
{
	return RT_FAIL(UNAVAILABLE, "DATABASE_UNAVAILABLE", "the database can't be reached");
}

struct rt_status rt_pg_run(struct rt_pg *pg, const struct rt_pg_statement *statement,
			   const struct rt_pg_params *params, int64_t deadline_mono_us,
			   struct rt_pg_rows *rows)
{
	(void)pg;
	(void)statement;
	(void)params;
	(void)deadline_mono_us;
	(void)rows;
	return out_of_reach();
}

struct rt_status rt_pg_begin(struct rt_pg *pg, int64_t deadline_mono_us, struct rt_pg_tx *tx)
{
	*tx = (struct rt_pg_tx){.pg = pg, .deadline_mono_us = deadline_mono_us};
	return rt_ok();
}

struct rt_status rt_pg_begin_snapshot(struct rt_pg *pg, int64_t deadline_mono_us,
				      struct rt_pg_tx *tx)
{
	return rt_pg_begin(pg, deadline_mono_us, tx);
}

struct rt_status rt_pg_commit(struct rt_pg_tx *tx)
{
	(void)tx;
	return out_of_reach();
}

void rt_pg_tx_cleanup(struct rt_pg_tx *tx)
{
	(void)tx;
}

struct rt_status rt_pg_send_begin(struct rt_pg *pg, int64_t deadline_mono_us)
{
	(void)pg;
	(void)deadline_mono_us;
	return out_of_reach();
}

struct rt_status rt_pg_send(struct rt_pg *pg, const struct rt_pg_statement *statement,
			    const struct rt_pg_params *params)
{
	(void)pg;
	(void)statement;
	(void)params;
	return out_of_reach();
}

struct rt_status rt_pg_send_commit(struct rt_pg *pg)
{
	(void)pg;
	return out_of_reach();
}

struct rt_status rt_pg_receive(struct rt_pg *pg, struct rt_pg_rows *rows, size_t count)
{
	(void)pg;
	(void)rows;
	(void)count;
	return out_of_reach();
}

void rt_pg_abandon(struct rt_pg *pg)
{
	(void)pg;
}

/* ---- one input ---- */

static struct rt_caller caller_of(uint8_t byte)
{
	static const struct rt_caller callers[] = {
		{.identity = RT_ID_OPERATOR,
		 .role = RT_ROLE_OPERATOR,
		 .user_id = {{1}},
		 .username = "operator"},
		{.identity = RT_ID_GATEWAY,
		 .role = RT_ROLE_PLAYER,
		 .user_id = {{2}},
		 .username = "player"},
		{.identity = RT_ID_PAYMENTS, .role = RT_ROLE_NONE},
	};
	return callers[byte % (sizeof(callers) / sizeof(callers[0]))];
}

/* Hands a message to the handler; false when it could not be unpacked, and then there is no call.
 */
static bool deliver(struct rt_call *call, const uint8_t *bytes, size_t length)
{
	struct rt_status status = rt_message_unpack(call->method->request, bytes, length,
						    &call->arena, &call->request);
	RT_ASSERT(call->arena.used_bytes <= call->arena.limit_bytes);
	if (!rt_is_ok(&status))
		return false;
	call->next = false;
	call->method->handler(call);
	return true;
}

static void stream(struct rt_call *call, const uint8_t *bytes, size_t length)
{
	for (int i = 0; i < MESSAGES_MAX && !call->ended; i++) {
		rt_arena_deinit(&call->arena);
		if (!deliver(call, bytes, length))
			return; /* the first one: no handler knows of the call */
		RT_ASSERT(call->ended || call->next);
	}
	call->request = NULL;
	if (!call->ended)
		call->method->handler(call);
	RT_ASSERT(call->ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 2 || bytes[0] >= METHODS)
		return 0;
	struct rt_call call = {.method = &methods[bytes[0]], .caller = caller_of(bytes[1])};
	rt_arena_init(&call.arena, CALL_ARENA_BYTES);
	if (call.method->kind == RT_BIDI_STREAM)
		stream(&call, bytes + 2, length - 2);
	else if (deliver(&call, bytes + 2, length - 2))
		RT_ASSERT(call.ended);
	if (call.context != NULL)
		call.destroy(call.context);
	rt_arena_deinit(&call.arena);
	return 0;
}

size_t fuzz_seed(size_t index, uint8_t *bytes, size_t size)
{
	if (index / VARIANTS >= METHODS)
		return 0;
	bytes[0] = (uint8_t)(index / VARIANTS);
	bytes[1] = (uint8_t)(index % VARIANTS);
	return 2 + sample_message(methods[bytes[0]].request, (unsigned)(index % VARIANTS),
				  bytes + 2, size - 2);
}
