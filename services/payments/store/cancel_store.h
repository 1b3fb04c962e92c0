/* The wish to call a payment off, which is kept with it. For rpc/ and the engine; SQL only. Errors
 * are rt_pg's. */
#pragma once

#include <stdbool.h>

#include "store/payment_store.h"

/* Notes the wish, and wakes whoever has the payment. *wanted: false when the other side has been
 * asked already, or nothing is left to be called off. The first who wants it is kept: whoever
 * repeats a wish that is on record may give "". */
struct rt_status cancel_store_want(struct rt_pg *pg, const struct payment_place *place,
				   const char *caller, struct rt_arena *arena,
				   int64_t deadline_mono_us, bool *wanted);

struct payment_cancel {
	const char *caller; /* in the arena; NULL: nobody wants it called off */
	int64_t create_us;
};
struct rt_status cancel_store_read(struct rt_pg *pg, const struct payment_place *place,
				   struct rt_arena *arena, int64_t deadline_mono_us,
				   struct payment_cancel *cancel);
