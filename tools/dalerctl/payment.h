/* What the files of the payment group share. For this tool's files. */
#pragma once

#include <daler/payments/v1/payments.pb-c.h>

#include "command.h"

const char *payment_state_text(Daler__Payments__V1__PaymentState state);
const char *payment_kind_text(const Daler__Payments__V1__Payment *payment);
/* What the operand and its flags ask for. */
struct rt_status payment_kind_take(struct ctl *ctl,
				   Daler__Payments__V1__CreatePaymentRequest *request);
/* The filters of `payment list`, but page and size. */
struct rt_status payment_filters_take(struct ctl *ctl,
				      Daler__Payments__V1__ListPaymentsRequest *request);

/* Commands that have a file of their own. */
struct rt_status payment_watch_run(struct ctl *ctl);
struct rt_status payment_stuck_run(struct ctl *ctl);
struct rt_status payment_retry_run(struct ctl *ctl);
struct rt_status payment_resolve_run(struct ctl *ctl);
struct rt_status payment_reconcile_run(struct ctl *ctl);
struct rt_status payment_actions_run(struct ctl *ctl);
