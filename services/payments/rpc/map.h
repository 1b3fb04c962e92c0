/* Between protobuf and the domain. For rpc/. */
#pragma once

#include "daler/payments/v1/payments.pb-c.h"
#include "domain/limits.h"
#include "domain/request.h"
#include "rt/arena.h"
#include "rt/identity.h"
#include "rt/status.h"
#include "store/payment_store.h"

/* What was asked for, unchecked; text is the message's. */
struct payment_draft map_draft(const Daler__Payments__V1__CreatePaymentRequest *request);

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

/* Where a list goes on: after a payment, for one caller and filter. Opaque and checked: one that
 * was made for another list, or tampered with, is INVALID_ARGUMENT PAGE_TOKEN_INVALID. */
#define MAP_PAGE_TOKEN_BYTES 33
void map_page_token(const struct payment_filter *filter, const struct rt_uuid *last,
		    char token[MAP_PAGE_TOKEN_BYTES]);
struct rt_status map_page_token_read(const struct payment_filter *filter, const char *token,
				     struct rt_uuid *last);
