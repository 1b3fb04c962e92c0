/* What the handlers of payments work with, and the handlers. For main.c and rpc/. */
#pragma once

#include "engine/executor.h"
#include "rt/pg.h"
#include "rt/rpc_server.h"
#include "rt/signature.h"
#include "store/payment_store.h"

struct feed;

struct payments_service {
	struct executor *executor;
	struct feed *feed;
	struct accounts_client accounts;
	struct rt_pg_config pg; /* of the workers */
	struct rt_signature_keys notification_keys;
};

/* A worker's connection. */
void *payments_worker_new(void *service);
void payments_worker_destroy(void *worker);

/* Whether the payment exists for this caller. */
bool payments_may_read(const struct rt_caller *caller, const struct payment_record *record);

/* A row of methods.def each. */
void payments_create_payment(struct rt_call *call);
void payments_cancel_payment(struct rt_call *call);
void payments_get_payment(struct rt_call *call);
void payments_list_payments(struct rt_call *call);
void payments_watch(struct rt_call *call);
void payments_register_clearing_account(struct rt_call *call);
void payments_list_stuck_payments(struct rt_call *call);
void payments_retry_payment(struct rt_call *call);
void payments_resolve_payment(struct rt_call *call);
void payments_reconcile_connector(struct rt_call *call);
void payments_list_operator_actions(struct rt_call *call);
void payments_register_transit_account(struct rt_call *call);
void payments_notify(struct rt_call *call);

void payments_set_market(struct rt_call *call);
void payments_get_market(struct rt_call *call);
void payments_set_limit(struct rt_call *call);
void payments_list_limits(struct rt_call *call);
void payments_list_limit_changes(struct rt_call *call);
void payments_self_exclude(struct rt_call *call);
void payments_time_out(struct rt_call *call);
void payments_lift_self_exclusion(struct rt_call *call);
void payments_list_restrictions(struct rt_call *call);
