/* A hash table from ids to pointers, of a size known beforehand. Pure; for the service's domain and
 * engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rt/arena.h"
#include "rt/id.h"

struct uuid_entry {
	struct rt_uuid key;
	void *value; /* NULL: free */
};

struct uuid_table {
	struct uuid_entry *entries;
	size_t mask;
	size_t count;
	size_t most;
};

/* Spreads ids over all numbers, also those that are alike. */
size_t uuid_table_hash(const struct rt_uuid *key);
/* Makes room for at most `most` ids. Owns: memory of the arena. Returns false when the arena is
 * full. */
bool uuid_table_init(struct uuid_table *table, struct rt_arena *arena, size_t most);
/* NULL when the id is not there. */
void *uuid_table_get(const struct uuid_table *table, const struct rt_uuid *key);
/* Puts a value under an id that has none yet, and returns it; returns the value that is there
 * already otherwise. */
void *uuid_table_put(struct uuid_table *table, const struct rt_uuid *key, void *value);
