/* Calls to connectors and tries in vain, written in the shared transaction. For payment_batch.c;
 * SQL only. */
#pragma once

#include "store/payment_batch.h"

#define CALL_BATCH_WRITES 2

/* What the batch has of both; *sent grows by the statements that were sent. */
struct rt_status call_batch_send(struct rt_pg *pg, const struct payment_batch *batch,
				 struct rt_arena *arena, size_t *sent);
