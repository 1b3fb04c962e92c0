/* The handlers that methods.def names. For main.c. */
#pragma once

#include "domain/behaviour.h"
#include "domain/capability.h"
#include "engine/teller.h"
#include "rt/rpc_server.h"

/* What the handlers work with: the server's service. */
struct simulator {
	struct teller *teller;
	struct behaviour default_behaviour;
	struct capability capability;
};

void simulator_authorize(struct rt_call *call);
void simulator_capture(struct rt_call *call);
void simulator_cancel(struct rt_call *call);
void simulator_refund(struct rt_call *call);
void simulator_get_capabilities(struct rt_call *call);
void simulator_payout(struct rt_call *call);
void simulator_get_operation(struct rt_call *call);
void simulator_list_operations(struct rt_call *call);
