/* What payments reads and writes by itself, outside the shared transactions: reading for people,
 * leases, clearing accounts. For the engine and rpc/; SQL only. Errors are rt_pg's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/payment.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"

/* A payment as it is stored; text is in the arena. */
struct payment_record {
	struct payment_request request;
	struct payment_standing standing;
	const char *caller;
	int64_t review_since_us; /* wall clock; 0: nobody need look at it */
	const char *action_url;  /* what the person who pays must do; "" */
	const char *action_data;
};

struct payment_event {
	int64_t version;
	enum payment_state state;
	const char *reason;
	int64_t create_time_us;
	struct rt_uuid worker_id; /* nil: an operator made it, or it is not known */
	const char *actor;        /* "" unless one made it */
	const char *evidence;
	int64_t position; /* the transaction that wrote it */
};

/* For the store's own files. */
struct rt_uuid payment_uuid_or_nil(const struct rt_pg_rows *rows, int row, int column);

/* Errors: NOT_FOUND PAYMENT_NOT_FOUND. */
struct rt_status payment_store_get(struct rt_pg *pg, const struct rt_uuid *payment_id,
				   struct rt_arena *arena, int64_t deadline_mono_us,
				   struct payment_record *record);
/* The latest `limit` changes, in order of version. */
struct rt_status payment_store_events(struct rt_pg *pg, const struct payment_record *record,
				      int64_t limit, struct rt_arena *arena,
				      int64_t deadline_mono_us, struct payment_event **events,
				      size_t *count);

/* What is NULL, nil or 0 is not asked for. */
struct payment_filter {
	struct rt_uuid ledger_id;
	struct rt_uuid before; /* ids below this one */
	struct rt_uuid above;  /* and above this one */
	int state;
	int kind;
	struct rt_uuid account_id;
	const char *caller;
	const char *connector;
	const char *reference;
	const char *currency;
	int64_t start_us; /* wall clock: created then or later */
	int64_t end_us;   /* and before then; INT64_MAX: not asked for */
	int64_t amount_min;
	int64_t amount_max; /* INT64_MAX: not asked for */
	size_t limit;
};

/* The most payments that are looked at for one page, whatever is asked for. */
#define PAYMENT_LOOKS_MAX 10000

/* Newest first. When fewer were found than the limit and `whole` is false, as many were looked at
 * as may be: it goes on below `looked_to`. */
struct payment_page {
	struct payment_record *records;
	size_t count;
	bool whole; /* there is nothing more to look at */
	struct rt_uuid looked_to;
};
struct rt_status payment_store_list(struct rt_pg *pg, const struct payment_filter *filter,
				    struct rt_arena *arena, int64_t deadline_mono_us,
				    struct payment_page *page);

struct clearing_key {
	struct rt_uuid ledger_id;
	const char *connector; /* NULL: the ledger's transit account */
	const char *currency;
};
/* Names the account unless one is named; *account_id is the one that is named then. */
struct rt_status payment_store_register(struct rt_pg *pg, const struct clearing_key *key,
					int64_t now_wall_us, int64_t deadline_mono_us,
					struct rt_uuid *account_id);

/* A saga that was taken over; text is in the arena. */
struct payment_lapsed {
	struct payment_request request; /* without key and reference */
	struct payment_standing standing;
	int64_t fence; /* ours now */
	bool reviewed; /* it is listed for a person already */
	bool cancel_wanted;
	uint16_t declines; /* of the step that its state orders, before it came to this state */
};

/* Makes the worker's lease, and ends that of the one that ran before on the same host; "": it is
 * not known. */
struct rt_status payment_store_begin_lease(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   const char *host, int64_t lease_ms,
					   int64_t deadline_mono_us);
struct rt_status payment_store_renew_lease(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   int64_t lease_ms, int64_t deadline_mono_us);
struct rt_status payment_store_end_lease(struct rt_pg *pg, const struct rt_uuid *worker_id,
					 int64_t deadline_mono_us);
/* A payment by its key. */
struct payment_place {
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
};

/* Up to `limit` open payments of the worker with ids after `after` that have not changed for
 * `age_ms`; in the arena. */
struct rt_status payment_store_own_open(struct rt_pg *pg, const struct rt_uuid *worker_id,
					const struct rt_uuid *after, int64_t age_ms, int64_t limit,
					struct rt_arena *arena, int64_t deadline_mono_us,
					struct payment_place **places, size_t *count);
/* Makes payments of the worker nobody's: they are taken over by whoever looks first. */
struct rt_status payment_store_let_go(struct rt_pg *pg, const struct rt_uuid *worker_id,
				      const struct payment_place *places, size_t count,
				      struct rt_arena *arena, int64_t deadline_mono_us);
/* Lists the worker's payments whose outcome is not known `age_ms` after they were made for a
 * person. */
struct rt_status payment_store_mark_review(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   int64_t age_ms, struct rt_arena *arena,
					   int64_t deadline_mono_us, int64_t *marked);
/* Owners of open sagas whose lease has run out; ids are in the arena. */
struct rt_status payment_store_find_lapsed(struct rt_pg *pg, const struct rt_uuid *worker_id,
					   struct rt_arena *arena, int64_t deadline_mono_us,
					   struct rt_uuid **owners, size_t *count);
/* Makes up to `limit` sagas of `owner` the worker's, in one transaction. With OUTCOME_UNKNOWN
 * *lapsed is set too: they may be the worker's, and if they are not, their fence keeps it from
 * writing. */
struct rt_status payment_store_take_lapsed(struct rt_pg *pg, const struct rt_uuid *owner,
					   const struct rt_uuid *worker_id, int64_t limit,
					   struct rt_arena *arena, int64_t deadline_mono_us,
					   struct payment_lapsed **lapsed, size_t *count);
