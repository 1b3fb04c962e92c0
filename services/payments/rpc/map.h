/* Between protobuf and the domain. For rpc/. */
#pragma once

#include "daler/payments/v1/payments.pb-c.h"
#include "domain/limits.h"
#include "domain/request.h"
#include "rt/arena.h"
#include "rt/identity.h"
#include "rt/status.h"
#include "store/call_store.h"
#include "store/payment_store.h"

/* What was asked for, unchecked; text is the message's. */
struct payment_draft map_draft(const Daler__Payments__V1__CreatePaymentRequest *request);

/* The kind's own message, and the fee; into the arena, which may overflow. */
void map_kind(Daler__Payments__V1__Payment *payment, const struct payment_request *request,
	      struct rt_arena *arena);

/* What the person must do, while the payment waits for it; the texts are copied. False when the
 * arena is full. */
bool map_required_action(Daler__Payments__V1__Payment *payment, const char *url, const char *data,
			 struct rt_arena *arena);

/* The scope of idempotency keys and of "one's own": the user's id, or without one the identity's
 * name. */
void map_caller(const struct rt_caller *caller, char text[PAYMENT_CALLER_BYTES]);

/* NULL when the arena is full; text is lent from the request. */
Daler__Payments__V1__Payment *map_payment(const struct payment_request *request,
					  const struct payment_standing *standing,
					  struct rt_arena *arena);
/* NULL when the arena is full. */
Daler__Payments__V1__PaymentEvent *map_event(const struct payment_event *event,
					     struct rt_arena *arena);

/* Text that a message lends: protobuf-c's strings are not const, though it never writes to them. */
char *map_lent(const char *text);
/* NULL when the arena is full. */
char *map_uuid(const struct rt_uuid *uuid, struct rt_arena *arena);
Google__Protobuf__Timestamp *map_time(int64_t wall_us, struct rt_arena *arena);
/* Says why a limit declined the payment; nothing when none did. False when the arena is full. */
bool map_refusal(Daler__Payments__V1__Payment *payment, const struct payment_standing *standing,
		 const struct limit_refusal *refusal, struct rt_arena *arena);

/* A record's payment, for people. NULL when the arena is full. */
Daler__Payments__V1__Payment *map_record(const struct payment_record *record,
					 struct rt_arena *arena);
/* NULL when the arena is full. */
Daler__Payments__V1__ProviderCall *map_call(const struct payment_call *call,
					    struct rt_arena *arena);
/* Who made a change; for our own people. */
void map_event_maker(const struct payment_event *event, Daler__Payments__V1__PaymentEvent *message,
		     struct rt_arena *arena);
/* A moment in a request; absent is `fallback`. Errors: INVALID_ARGUMENT INVALID_FIELD naming the
 * field. */
struct rt_status map_moment_or(const char *field, const Google__Protobuf__Timestamp *time,
			       int64_t fallback, int64_t *wall_us);
/* Who acts, as operators are recorded: "username (user id)". */
#define MAP_OPERATOR_BYTES 128
void map_operator(const struct rt_caller *caller, char text[MAP_OPERATOR_BYTES]);
