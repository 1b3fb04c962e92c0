/* The HTTP port for Kubernetes and Prometheus: /livez, /readyz, /metrics. For main.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/status.h"

struct rt_admin;
struct rt_readiness;

/* Asks a service's dependencies, each with a bound on its time, and names each in the report.
 * Thread: the admin port's own for this, never two at a time; /livez and /metrics are answered
 * while it runs. */
typedef void (*rt_readiness_check)(void *context, struct rt_readiness *report);
/* Adds a component (at most 16): its name, whether it works, whether the service is unready without
 * it, and why it does not work (copied; anybody in the cluster can read it). */
void rt_readiness_add(struct rt_readiness *report, const char *component, bool works, bool required,
		      const char *why);

/* Listens on host:port ("[::1]:0", ":8080" for every address). Owns: the caller stops *admin.
 * Errors: INVALID_ARGUMENT INVALID_SETTING, FAILED_PRECONDITION LISTEN_FAILED. */
struct rt_status rt_admin_start(const char *listen, rt_readiness_check check, void *context,
				struct rt_admin **admin);
/* The port that it got, when 0 was asked for. */
uint16_t rt_admin_port(const struct rt_admin *admin);
/* From here on /readyz says no, so that nobody sends new calls, while those in flight finish. */
void rt_admin_drain(struct rt_admin *admin);
/* Waits for a check that is running. NULL is let pass. */
void rt_admin_stop(struct rt_admin *admin);
