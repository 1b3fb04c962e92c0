/* A few threads, each with a connection of its own, for reads that take minutes: they leave the
 * workers to the calls that take milliseconds. For the service's rpc/ and main.c. */
#pragma once

#include <stddef.h>

#include "rt/pg.h"
#include "rt/status.h"

struct background;

/* Does the work. Thread: its own. */
typedef void (*background_run)(void *context, struct rt_pg *pg);

struct background *background_new(const struct rt_pg_config *pg, size_t most);
/* Begins at once, or not at all. Thread: any; doesn't block. Errors: RESOURCE_EXHAUSTED
 * TOO_MANY_VERIFICATIONS with retry_after_ms; UNAVAILABLE SHUTTING_DOWN. */
struct rt_status background_start(struct background *background, background_run run, void *context);
/* Takes no more, and waits for those under way, which must have been told to end. */
void background_stop(struct background *background);
/* After _stop. */
void background_destroy(struct background *background);
