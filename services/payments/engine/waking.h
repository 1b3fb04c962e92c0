/* Hears from other replicas, through the database, which of this process's sagas should be looked
 * at now: a notification or an operator reached another process than the one that has the saga. For
 * main.c. */
#pragma once

#include <stdint.h>

#include "engine/executor.h"
#include "rt/pg.h"

struct waking;

struct waking_config {
	struct rt_pg_config pg;
	struct executor *executor;
	int64_t interval_ms; /* between looks */
};

struct waking *waking_start(const struct waking_config *config);
/* Ends the thread, and destroys. Before the executor is destroyed. */
void waking_stop(struct waking *waking);
