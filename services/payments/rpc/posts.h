/* A payment's steps in ledgers, for its timeline. For rpc/. */
#pragma once

#include "rpc/map.h"

/* From the payment and its history, in its order. Errors: RESOURCE_EXHAUSTED OUT_OF_MEMORY. */
struct rt_status posts_add(const struct payment_record *record, const struct payment_event *events,
			   size_t count, struct rt_arena *arena,
			   Daler__Payments__V1__GetPaymentResponse *reply);
