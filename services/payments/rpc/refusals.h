/* Which limit declined a payment, and what was left: for those who read payments. For rpc/. */
#pragma once

#include "daler/payments/v1/payments.pb-c.h"
#include "rt/rpc_server.h"
#include "store/payment_store.h"

/* Says of payments that limits have declined why; on a worker. */
struct rt_status refusals_add(struct rt_call *call, const struct payment_record *records,
			      Daler__Payments__V1__Payment **payments, size_t count);
