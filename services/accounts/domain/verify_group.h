/* What is on record of a group of transfers, against the hash of what was asked for. Pure; for the
 * service's engine/ and store/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/group.h"

/* A transfer as it was asked for, and what its row says of its group. */
struct verify_member {
	struct transfer transfer; /* the reference is lent */
	struct rt_uuid group_id;
	int64_t position;
	int64_t group_size;
	int64_t created_us;
	uint8_t group_hash[GROUP_HASH_BYTES];
};

/* The members in the order of their positions, the first of the group first. Returns NULL when they
 * are all of a group as it was asked for, else what is wrong, for people. Threads: any. */
const char *verify_group_members(const struct verify_member *members, size_t count,
				 const struct rt_uuid *ledger_id);
