/* Transfers that succeed or fail together, as a caller asks for them. Pure; any layer of the
 * service may include this. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/transfer.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/status.h"

#define GROUP_TRANSFERS_MAX 100
#define GROUP_HASH_BYTES    16

/* Its identity is the id of its first transfer. */
struct group {
	const struct transfer *transfers;
	size_t count;
	uint8_t hash[GROUP_HASH_BYTES]; /* of all that it asks for, and of its ledger */
	int64_t attempted_us; /* time of an attempt whose commit is not known to have failed; 0:
				 none */
};

static inline const struct rt_uuid *group_id(const struct group *group)
{
	return &group->transfers[0].id;
}

/* Checks each transfer, and that no id is there twice. Errors: INVALID_ARGUMENT with a field such
 * as "transfers[2].amount_minor"; GROUP_EMPTY, GROUP_TOO_LARGE, DUPLICATE_ID, and those of
 * transfer_check. */
struct rt_status group_check(const struct group *group);
/* Fills in the hash: the same content in the same ledger has the same one. */
void group_fill_hash(struct group *group, const struct rt_uuid *ledger_id);
