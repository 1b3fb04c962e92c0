/* The life of a service process: signals, readiness and the order of shutdown. For main.c. */
#pragma once

#include <stdint.h>

#include "rt/status.h"

/* Blocks SIGTERM, SIGINT and SIGHUP for all threads that follow, ignores SIGPIPE. Before any thread
 * is made. */
void rt_process_init(void);
/* Waits for SIGTERM or SIGINT. */
void rt_process_wait(void);
/* Logs the status and ends the process: 2 for INVALID_ARGUMENT (a setting), else 1. */
__attribute__((noreturn)) void rt_process_fail(const char *event, struct rt_status status);
