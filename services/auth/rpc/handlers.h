/* The handlers that methods.def names. For main.c. */
#pragma once

#include "rt/rpc_server.h"

void auth_create_user(struct rt_call *call);
void auth_get_user(struct rt_call *call);
void auth_log_in(struct rt_call *call);
void auth_get_keys(struct rt_call *call);
