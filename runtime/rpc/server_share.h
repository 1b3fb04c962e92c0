/* What there is so much of, between the identities that want it. For runtime/rpc alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/identity.h"

/* What there is so much of, and who has it. */
struct rt_share {
	_Atomic int64_t taken;
	_Atomic int64_t taken_of[RT_ID_COUNT];
};

/* Takes so much of what there are `most`; false, and nothing is taken, when there is not enough, or
 * the identity has more than its share. Whoever is alone may take what they like. */
bool rt_share_take(struct rt_share *share, enum rt_identity identity, int64_t count, int64_t most);
void rt_share_give(struct rt_share *share, enum rt_identity identity, int64_t count);
