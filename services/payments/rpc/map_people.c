/* Mapping of what is for people to read: records, changes, calls, operators; see map.h. */
#include <stdio.h>
#include <string.h>

#include "domain/saga.h"
#include "rpc/map.h"
#include "rt/clock.h"

/* Timestamps go from the year 1 to the year 9999. */
#define SECONDS_MIN INT64_C(-62135596800)
#define SECONDS_MAX INT64_C(253402300799)

struct rt_status map_moment_or(const char *field, const Google__Protobuf__Timestamp *time,
			       int64_t fallback, int64_t *wall_us)
{
	*wall_us = fallback;
	if (time == NULL)
		return rt_ok();
	if (time->seconds < SECONDS_MIN || time->seconds > SECONDS_MAX || time->nanos < 0 ||
	    time->nanos > 999999999)
		return RT_BAD_FIELD("INVALID_FIELD", field, "must be a time");
	*wall_us = time->seconds * RT_US_PER_S + time->nanos / 1000;
	return rt_ok();
}

void map_operator(const struct rt_caller *caller, char text[MAP_OPERATOR_BYTES])
{
	char id[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&caller->user_id, id);
	snprintf(text, MAP_OPERATOR_BYTES, "%s (%s)", caller->username, id);
}

Daler__Payments__V1__Payment *map_record(const struct payment_record *record,
					 struct rt_arena *arena)
{
	Daler__Payments__V1__Payment *payment =
		map_payment(&record->request, &record->standing, arena);

	if (payment != NULL && record->review_since_us != 0)
		payment->review_since_time = map_time(record->review_since_us, arena);
	return map_required_action(payment, record->action_url, record->action_data, arena)
		       ? payment
		       : NULL;
}

static const char *const action_names[] = {
	[SAGA_REST] = "rest",       [SAGA_POST] = "post",     [SAGA_SUBMIT] = "submit",
	[SAGA_CAPTURE] = "capture", [SAGA_CANCEL] = "cancel", [SAGA_ASK] = "ask",
};

static const char *action_name(int action)
{
	size_t count = sizeof(action_names) / sizeof(action_names[0]);

	return action >= 0 && (size_t)action < count && action_names[action] != NULL
		       ? action_names[action]
		       : "";
}

/* "PROVIDER_SUCCEEDED" is "succeeded". */
static char *result_name(const char *result, struct rt_arena *arena)
{
	static const char prefix[] = "PROVIDER_";
	bool provider = strncmp(result, prefix, sizeof(prefix) - 1) == 0;
	char *name = rt_arena_strdup(arena, provider ? result + sizeof(prefix) - 1 : result);

	for (char *c = name; c != NULL && *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return name;
}

Daler__Payments__V1__ProviderCall *map_call(const struct payment_call *call, struct rt_arena *arena)
{
	Daler__Payments__V1__ProviderCall *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__provider_call__init(message);
	message->step = map_lent(call->step);
	message->action = map_lent(action_name(call->action));
	message->reference = map_lent(call->reference);
	message->attempt = call->attempt;
	message->result = result_name(call->result, arena);
	message->reason = map_lent(call->reason);
	message->provider_reference = map_lent(call->provider_reference);
	message->start_time = map_time(call->start_us, arena);
	message->end_time = map_time(call->end_us, arena);
	message->worker_id = map_uuid(&call->worker_id, arena);
	return arena->overflowed ? NULL : message;
}

void map_event_maker(const struct payment_event *event, Daler__Payments__V1__PaymentEvent *message,
		     struct rt_arena *arena)
{
	if (!rt_uuid_is_nil(&event->worker_id))
		message->worker_id = map_uuid(&event->worker_id, arena);
	message->actor = map_lent(event->actor);
	message->evidence = map_lent(event->evidence);
}
