/* See calls.h. */
#include "engine/calls.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/clock.h"

#define PROVIDER_REFERENCE_MAX 128

/* What the saga itself does not say of the call when it is written. */
struct saga_call {
	struct rt_uuid call_id;
	const struct saga_step *step;
	enum saga_action action;
	enum saga_event_kind result;
	int64_t attempt;
	int64_t start_us; /* wall clock */
	int64_t end_us;   /* 0: it has not ended */
	char texts[];     /* when it has: its reason and the provider's reference, one after the
			     other */
};

static const char *const event_names[SAGA_EVENT_COUNT] = {
#define SAGA_EVENT_NAME(name) [SAGA_##name] = #name,
	SAGA_EVENTS(SAGA_EVENT_NAME)
#undef SAGA_EVENT_NAME
};

struct rt_uuid call_reference(const struct saga *saga, const struct saga_step *step)
{
	return step->reference == NULL
		       ? saga->standing.payment_id
		       : rt_uuid_derive(&saga->standing.payment_id, step->reference);
}

void call_begin(struct saga *saga)
{
	struct saga_call *made = malloc(sizeof(*made));

	RT_ASSERT(made != NULL && saga->call == NULL);
	*made = (struct saga_call){.call_id = rt_uuid_v7(),
				   .step = saga->decision.step,
				   .action = saga->decision.action,
				   .attempt = (int64_t)saga->attempts + 1,
				   .start_us = rt_clock_wall_us()};
	saga->call = made;
}

/* A provider's reference is theirs: what is too long is cut, what is no text was refused before. */
static size_t reference_length(const char *reference)
{
	size_t length = strnlen(reference, PROVIDER_REFERENCE_MAX);

	while (length > 0 && (reference[length] & 0xc0) == 0x80)
		length--;
	return length;
}

void call_end(struct saga *saga, const struct saga_event *event)
{
	const char *reference = event->provider_reference == NULL ? "" : event->provider_reference;
	size_t length = reference_length(reference);
	char reason[PAYMENT_REASON_BYTES];

	payment_reason_copy(reason, event->reason, "");
	size_t reason_bytes = strlen(reason) + 1;
	struct saga_call *made = realloc(saga->call, sizeof(*made) + reason_bytes + length + 1);

	RT_ASSERT(made != NULL);
	made->result = event->kind;
	made->end_us = rt_clock_wall_us();
	memcpy(made->texts, reason, reason_bytes);
	memcpy(made->texts + reason_bytes, reference, length);
	made->texts[reason_bytes + length] = '\0';
	saga->call = made;
}

bool call_ended(const struct saga *saga)
{
	return saga->call != NULL && saga->call->end_us != 0;
}

struct payment_call *call_to_write(const struct saga *saga, struct rt_arena *arena)
{
	const struct saga_call *made = saga->call;
	struct payment_call *call = rt_arena_alloc(arena, sizeof(*call));
	char *reference_text = rt_arena_alloc(arena, RT_UUID_TEXT_BYTES);

	if (call == NULL || reference_text == NULL)
		return NULL;
	struct rt_uuid reference = call_reference(saga, made->step);

	rt_uuid_format(&reference, reference_text);
	*call = (struct payment_call){
		.ledger_id = saga->ledger_id,
		.payment_id = saga->standing.payment_id,
		.call_id = made->call_id,
		.attempt = made->attempt,
		.step = made->step->name,
		.action = (int)made->action,
		.reference = reference_text,
		.result = event_names[made->result],
		.reason = made->texts,
		.provider_reference = made->texts + strlen(made->texts) + 1,
		.start_us = made->start_us,
		.end_us = made->end_us,
	};
	return call;
}

void call_forget(struct saga *saga)
{
	free(saga->call);
	saga->call = NULL;
}
