/* See calls.h. */
#include "engine/calls.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/clock.h"

static const char *const event_names[SAGA_EVENT_COUNT] = {
#define SAGA_EVENT_NAME(name) [SAGA_##name] = #name,
	SAGA_EVENTS(SAGA_EVENT_NAME)
#undef SAGA_EVENT_NAME
};

void call_begin(struct executor *executor, struct saga *saga)
{
	const struct saga_step *step = saga->decision.step;
	struct saga_call *made = malloc(sizeof(*made));

	RT_ASSERT(made != NULL && saga->call == NULL);
	*made = (struct saga_call){
		.call = {.ledger_id = saga->ledger_id,
			 .payment_id = saga->standing.payment_id,
			 .call_id = rt_uuid_v7(),
			 .attempt = (int64_t)saga->attempts + 1,
			 .step = step->name,
			 .action = (int)saga->decision.action,
			 .result = "",
			 .worker_id = executor->worker_id,
			 .start_us = rt_clock_wall_us()},
	};
	struct rt_uuid reference =
		step->reference == NULL
			? saga->standing.payment_id
			: rt_uuid_derive(&saga->standing.payment_id, step->reference);

	rt_uuid_format(&reference, made->reference);
	made->call.reference = made->reference;
	made->call.reason = made->reason;
	made->call.provider_reference = made->provider_reference;
	saga->call = made;
}

/* A provider's reference is theirs: what is too long is cut, what is no text was refused before. */
void call_end(struct saga *saga, const struct saga_event *event)
{
	struct saga_call *made = saga->call;

	RT_ASSERT(made != NULL);
	made->call.result = event_names[event->kind];
	made->call.end_us = rt_clock_wall_us();
	payment_reason_copy(made->reason, event->reason, "");
	if (event->provider_reference == NULL)
		return;
	size_t length = strnlen(event->provider_reference, CALL_PROVIDER_REFERENCE_BYTES - 1);

	while (length > 0 && (event->provider_reference[length] & 0xc0) == 0x80)
		length--;
	memcpy(made->provider_reference, event->provider_reference, length);
}

const struct payment_call *call_to_write(const struct saga *saga)
{
	return saga->call == NULL || saga->call->call.end_us == 0 ? NULL : &saga->call->call;
}

void call_forget(struct saga *saga)
{
	free(saga->call);
	saga->call = NULL;
}
