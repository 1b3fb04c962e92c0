#include "domain/uuid_table.h"

#include <stdint.h>
#include <string.h>

#include "rt/assert.h"

/* Time-ordered ids share their first half, and derived ones may share more: both halves are mixed.
 * Source: the finalizer of MurmurHash3. */
size_t uuid_table_hash(const struct rt_uuid *key)
{
	uint64_t high, low;
	memcpy(&high, key->bytes, sizeof(high));
	memcpy(&low, key->bytes + sizeof(high), sizeof(low));
	uint64_t mixed = high * UINT64_C(0x9e3779b97f4a7c15) ^ low;
	mixed = (mixed ^ (mixed >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	mixed = (mixed ^ (mixed >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(mixed ^ (mixed >> 33));
}

bool uuid_table_init(struct uuid_table *table, struct rt_arena *arena, size_t most)
{
	size_t slots = 8;
	while (slots < most * 2)
		slots *= 2;
	*table = (struct uuid_table){.mask = slots - 1, .most = most};
	table->entries = rt_arena_array(arena, slots, sizeof(table->entries[0]));
	return table->entries != NULL;
}

/* The entry of the id, or the free one where it belongs. */
static struct uuid_entry *find(const struct uuid_table *table, const struct rt_uuid *key)
{
	size_t slot = uuid_table_hash(key) & table->mask;
	/* At least half of the slots are free, so that this ends. */
	while (table->entries[slot].value != NULL && !rt_uuid_equal(&table->entries[slot].key, key))
		slot = (slot + 1) & table->mask;
	return &table->entries[slot];
}

void *uuid_table_get(const struct uuid_table *table, const struct rt_uuid *key)
{
	return find(table, key)->value;
}

void *uuid_table_put(struct uuid_table *table, const struct rt_uuid *key, void *value)
{
	RT_ASSERT(value != NULL);
	struct uuid_entry *entry = find(table, key);
	if (entry->value != NULL)
		return entry->value;
	RT_ASSERT(table->count < table->most);
	*entry = (struct uuid_entry){.key = *key, .value = value};
	table->count++;
	return value;
}
