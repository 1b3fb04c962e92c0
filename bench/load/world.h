/* What the cases act on: one ledger with many accounts, made by the setup. For the load generator.
 */
#pragma once

#include <stddef.h>

#include "rt/id.h"
#include "rt/rpc_client.h"

#define WORLD_CURRENCY "EUR"

struct load_world {
	char ledger_id[RT_UUID_TEXT_BYTES];
	struct rt_uuid ledger;
	size_t account_count;
	char (*account_ids)[RT_UUID_TEXT_BYTES];
};

/* The ids of the ledger's accounts. They live as long as the process. */
void world_init(struct load_world *world, size_t account_count);
/* Account `index` of the ledger; index == account_count is one without money that may not be
 * overdrawn. Not to be changed. */
char *world_account_id(const struct load_world *world, size_t index);
/* Creates the ledger and its accounts, as an operator. Repeating it is harmless. */
struct rt_status world_create(const struct load_world *world, struct rt_channel *channel,
			      const char *bearer);
