#include "domain/verify_group.h"

#include <string.h>

static bool is_next(const struct verify_member *first, const struct verify_member *member,
		    size_t position)
{
	return member->position == (int64_t)position &&
	       rt_uuid_equal(&member->group_id, &first->transfer.id);
}

static bool agree(const struct verify_member *a, const struct verify_member *b)
{
	return a->group_size == b->group_size && a->created_us == b->created_us &&
	       memcmp(a->group_hash, b->group_hash, sizeof(a->group_hash)) == 0;
}

const char *verify_group_members(const struct verify_member *members, size_t count,
				 const struct rt_uuid *ledger_id)
{
	struct transfer transfers[GROUP_TRANSFERS_MAX];
	struct group group = {.transfers = transfers, .count = count};
	if (count > GROUP_TRANSFERS_MAX || (int64_t)count != members[0].group_size)
		return "it has not as many transfers as it says";
	for (size_t i = 0; i < count; i++) {
		if (!is_next(&members[0], &members[i], i))
			return "its transfers are not numbered 0, 1, 2";
		if (!agree(&members[0], &members[i]))
			return "its transfers do not agree about it";
		transfers[i] = members[i].transfer;
	}
	group_fill_hash(&group, ledger_id);
	if (memcmp(group.hash, members[0].group_hash, sizeof(group.hash)) != 0)
		return "it is not what was asked for, of which there is a hash";
	return NULL;
}
