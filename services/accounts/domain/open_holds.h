/* Holds that stand while an account's entries are gone through: found, added and removed by id; no
 * more than are allowed at once. Pure; for domain/verify.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/id.h"

struct open_hold {
	struct rt_uuid id;
	int64_t amount_minor; /* 0: the place is free */
	int64_t captured_minor;
	bool is_debit; /* of the account that is gone through */
};

/* Grows as needed; what it grew out of stays in the arena, which is as much again at most. */
struct open_holds {
	struct rt_arena *arena;
	struct open_hold *places;
	size_t mask;
	size_t count;
	size_t most;
};

/* Owns: memory of the arena. False when it is full, as for _add. */
bool open_holds_init(struct open_holds *holds, struct rt_arena *arena, size_t most);
/* NULL when it is not there. Valid until the next _add or _remove. */
struct open_hold *open_holds_find(const struct open_holds *holds, const struct rt_uuid *id);
bool open_holds_is_full(const struct open_holds *holds);
/* One that is not there yet, when there is room; its amount is above 0. */
bool open_holds_add(struct open_holds *holds, const struct rt_uuid *id, int64_t amount_minor,
		    bool is_debit);
void open_holds_remove(struct open_holds *holds, struct open_hold *hold);
void open_holds_clear(struct open_holds *holds);
