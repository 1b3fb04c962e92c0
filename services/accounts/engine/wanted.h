/* What a batch has to ask the database, each id once. For engine/posting.c. */
#pragma once

#include <stddef.h>

#include "engine/posting.h"
#include "rt/arena.h"
#include "rt/status.h"
#include "store/posting_store.h"

/* Owns: the ids are in the arena. Errors: RESOURCE_EXHAUSTED BATCH_TOO_LARGE. */
struct rt_status wanted_collect(struct posting_request *const *requests, size_t count,
				struct rt_arena *arena, struct posting_wanted *wanted);
