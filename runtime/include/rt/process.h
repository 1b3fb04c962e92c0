/* The life of a service process: signals, readiness and the order of shutdown. For main.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/status.h"

/* Blocks SIGTERM, SIGINT and SIGHUP for all threads that follow, ignores SIGPIPE. Before any thread
 * is made. */
void rt_process_init(void);
/* Waits for SIGTERM or SIGINT. */
void rt_process_wait(void);
/* Waits that long, or until one of them comes: false. */
bool rt_process_wait_ms(int64_t duration_ms);
/* Logs the status and ends the process: 2 for INVALID_ARGUMENT (a setting), else 1. */
__attribute__((noreturn)) void rt_process_fail(const char *event, struct rt_status status);
/* That, unless the status is OK. */
void rt_process_must(const char *event, struct rt_status status);
