/* Points at which a test build dies, stops or waits when it is told to; in every other build
 * nothing of this exists. For engine/ alone.
 *
 * DALER_FAIL_POINT=name@state#amount:action:count - the point, the payment's state there (as
 * docs/reference/payment-states.md writes it), and its amount, by which a test knows its own
 * payments. What happens when it is reached for the count-th time: `kill` is SIGKILL, `stop` is
 * SIGSTOP, `wait` keeps the thread there for two seconds, while the others go on. All but the
 * name and the action may be left out; several are told apart by commas.
 * DALER_FAIL_POINT_TRACE=file - each point that is reached becomes a line "name@state#amount". */
#pragma once

#include <stdint.h>

#include "domain/states.h"

enum fail_point {
#define FAIL_POINT(id, name, prose) FAIL_##id,
#include "engine/fail_points.def"
#undef FAIL_POINT
};

#ifdef DALER_FAIL_POINTS
/* `state` is the one about to be entered or, where none is, the one in which the payment is. */
void fail_point_reach(enum fail_point point, enum payment_state state, int64_t amount_minor);
#else
#define fail_point_reach(point, state, amount_minor)                                               \
	((void)(point), (void)(state), (void)(amount_minor))
#endif
