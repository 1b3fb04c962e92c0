/* Payments through a connector, for the comparison with its report. For rpc/; SQL only. Errors are
 * rt_pg's. */
#pragma once

#include "domain/payment.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"

struct reconcile_row {
	struct rt_uuid payment_id;
	enum payment_kind kind;
	enum payment_state state;
	int64_t amount_minor;
	char currency[16];
	int64_t create_us; /* wall clock */
	char connector[PAYMENT_CONNECTOR_BYTES];
	char reason[PAYMENT_REASON_BYTES];
};

struct reconcile_range {
	const char *connector;
	int64_t start_us;
	int64_t end_us;
	struct rt_uuid from; /* ids above this one */
	struct rt_uuid to;   /* and below this one */
	int64_t limit;
};
/* In the order of their ids. */
struct rt_status reconcile_store_range(struct rt_pg *pg, const struct reconcile_range *range,
				       struct rt_arena *arena, int64_t deadline_mono_us,
				       struct reconcile_row **rows, size_t *count);
/* Those of the ids that there are, through whichever connector. */
struct rt_status reconcile_store_find(struct rt_pg *pg, const struct rt_uuid *ids, size_t id_count,
				      struct rt_arena *arena, int64_t deadline_mono_us,
				      struct reconcile_row **rows, size_t *count);
