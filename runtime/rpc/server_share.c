/* What a server has so much of, calls, bytes of messages in flight and of calls that are not
 * answered, between identities: one that has ever more of it leaves room for the others. */
#include "rpc/server_share.h"

#include <stdatomic.h>

/* What an identity may have, of what is left for others: alone, eight ninths of all. */
#define SHARE 8

bool rt_share_take(struct rt_share *share, enum rt_identity identity, int64_t count, int64_t most)
{
	int64_t taken = atomic_fetch_add(&share->taken, count);
	int64_t own = atomic_fetch_add(&share->taken_of[identity], count);
	int64_t left = most - taken - count;
	if (taken == 0 || (left >= 0 && own / SHARE <= left))
		return true;
	rt_share_give(share, identity, count);
	return false;
}

void rt_share_give(struct rt_share *share, enum rt_identity identity, int64_t count)
{
	atomic_fetch_sub(&share->taken_of[identity], count);
	atomic_fetch_sub(&share->taken, count);
}
