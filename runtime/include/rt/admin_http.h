/* The HTTP port for Kubernetes and Prometheus: /livez, /readyz, /metrics. For main.c. */
#pragma once

#include <stdbool.h>

#include "rt/status.h"

struct rt_admin;
struct rt_readiness;

/* Asks a service's dependencies and names each in the report. Runs on the admin port's own thread. */
typedef void (*rt_readiness_check)(void *context, struct rt_readiness *report);
/* Adds a component: its name, whether it works, whether the service is unready without it, and why it does not work. */
void rt_readiness_add(struct rt_readiness *report, const char *component, bool works, bool required,
		      const char *why);

/* Listens on host:port. Errors: INVALID_ARGUMENT INVALID_SETTING, FAILED_PRECONDITION LISTEN_FAILED. */
struct rt_status rt_admin_start(const char *listen, rt_readiness_check check, void *context, struct rt_admin **admin);
void rt_admin_stop(struct rt_admin *admin);
