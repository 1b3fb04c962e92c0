/* What operators see and do: payments that are stuck, retries, resolutions, and the record of both.
 * For rpc/; SQL only. Errors are rt_pg's. */
#pragma once

#include "store/payment_store.h"

/* A payment that is not finished; text is in the arena. */
struct stuck_payment {
	struct payment_record record;
	struct rt_uuid worker_id; /* nil: nobody has it */
	int64_t attempts;         /* 0: none was noted, and nothing below */
	const char *last_error;
	int64_t try_us;
	int64_t next_us;
};

struct stuck_filter {
	struct rt_uuid ledger_id;
	struct rt_uuid after; /* ids above this one */
	int64_t before_us;    /* in their state since before then */
	int64_t limit;
};
/* Oldest first. */
struct rt_status operations_store_stuck(struct rt_pg *pg, const struct stuck_filter *filter,
					struct rt_arena *arena, int64_t deadline_mono_us,
					struct stuck_payment **payments, size_t *count);

enum operator_action_kind { OPERATOR_RETRY = 1, OPERATOR_RESOLVE = 2 };

struct operator_action {
	struct rt_uuid ledger_id;
	struct rt_uuid action_id;
	struct rt_uuid payment_id;
	enum operator_action_kind kind;
	const char *actor;
	int outcome;
	const char *reason;
	const char *reference;
	enum payment_state from_state;
	int64_t version; /* of the change that it led to at once; 0: none */
	int64_t create_us;
};

struct action_filter {
	struct rt_uuid ledger_id;
	struct rt_uuid before;     /* ids below this one */
	struct rt_uuid payment_id; /* nil: any */
	int kind;                  /* 0: any */
	int64_t limit;
};
/* Newest first. */
struct rt_status operations_store_actions(struct rt_pg *pg, const struct action_filter *filter,
					  struct rt_arena *arena, int64_t deadline_mono_us,
					  struct operator_action **actions, size_t *count);

/* Where a payment stands, to decide on. */
struct payment_origin {
	enum payment_kind kind;
	struct rt_uuid parent_id; /* what it gives back; nil: nothing */
	int64_t amount_minor;
	enum payment_state state;
	int64_t version;
	int64_t fence;
	enum payment_state from; /* the state before this one */
};
/* Errors: NOT_FOUND PAYMENT_NOT_FOUND. */
struct rt_status operations_store_origin(struct rt_pg *pg, const struct payment_record *record,
					 struct rt_arena *arena, int64_t deadline_mono_us,
					 struct payment_origin *origin);

/* A change of state that was decided on an origin. */
struct operator_change {
	struct payment_origin origin;
	enum payment_state state;
	const char *reason;
	const char *evidence;
};
/* Writes the action, and the change when there is one (NULL: none), gives back what a payment that
 * ends had claimed, and wakes whoever has the payment, in one transaction. Errors: ABORTED
 * VERSION_CONFLICT when the payment has changed meanwhile. */
struct rt_status operations_store_act(struct rt_pg *pg, const struct operator_action *action,
				      const struct operator_change *change, struct rt_arena *arena,
				      int64_t deadline_mono_us);
