#include "client/account_memory.h"

#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/lock.h"

#define SLOTS 16384 /* of about 100 bytes */

struct slot {
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	struct account_facts facts; /* owner "": empty */
};

struct account_memory {
	struct rt_lock lock;
	struct slot slots[SLOTS];
};

struct account_memory *account_memory_new(void)
{
	struct account_memory *memory = calloc(1, sizeof(*memory));

	RT_ASSERT(memory != NULL);
	rt_lock_init(&memory->lock, RT_RANK_CLIENT);
	return memory;
}

void account_memory_destroy(struct account_memory *memory)
{
	rt_lock_deinit(&memory->lock);
	free(memory);
}

/* Ids differ in their last bytes, whoever makes them. */
static struct slot *slot_of(struct account_memory *memory, const struct rt_uuid *account_id)
{
	uint64_t tail = 0;

	memcpy(&tail, account_id->bytes + 8, sizeof(tail));
	return &memory->slots[(tail * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS];
}

bool account_memory_find(struct account_memory *memory, const struct rt_uuid *ledger_id,
			 const struct rt_uuid *account_id, struct account_facts *facts)
{
	RT_LOCKED(&memory->lock);
	const struct slot *slot = slot_of(memory, account_id);

	if (slot->facts.owner[0] == '\0' || !rt_uuid_equal(&slot->ledger_id, ledger_id) ||
	    !rt_uuid_equal(&slot->account_id, account_id))
		return false;
	*facts = slot->facts;
	return true;
}

void account_memory_keep(struct account_memory *memory, const struct rt_uuid *ledger_id,
			 const struct rt_uuid *account_id, const char *owner, const char *currency)
{
	size_t owner_bytes = strlen(owner) + 1;
	size_t currency_bytes = strlen(currency) + 1;

	struct slot *slot = slot_of(memory, account_id);

	if (owner_bytes > sizeof(slot->facts.owner) ||
	    currency_bytes > sizeof(slot->facts.currency))
		return;
	RT_LOCKED(&memory->lock);
	slot->ledger_id = *ledger_id;
	slot->account_id = *account_id;
	memcpy(slot->facts.owner, owner, owner_bytes);
	memcpy(slot->facts.currency, currency, currency_bytes);
}
