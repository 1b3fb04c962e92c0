/* What one shared transaction of payments does: looks keys up, records new payments, moves others
 * on, keeps notifications. For the engine; SQL only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/giveback.h"
#include "domain/limits.h"
#include "domain/payment.h"
#include "domain/saga.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/call_store.h"

/* A key to look up and, with `insert`, the payment to record unless the key is taken. */
struct payment_entry {
	const struct payment_request *request;
	const char *caller;
	const uint8_t *body_hash; /* RT_DIGEST_BYTES */
	bool insert;
	/* insert: the payment's id, first states, reason and time; else written when found */
	struct payment_standing *standing;
	size_t change_count; /* states after CREATED, recorded with it */
	struct saga_change changes[SAGA_CHANGES_MAX];
	/* insert: as wished, so that an attempt that is repeated decides anew */
	struct payment_standing wished;
	size_t wished_count;
	struct saga_change wished_changes[SAGA_CHANGES_MAX];
	const char *person; /* insert: whose limits count; "" or NULL: nobody's */
	/* A rollback of what never arrived and its tombstone: both are recorded or neither is */
	struct payment_entry *pair;
	/* Results. */
	struct limit_refusal *refusal; /* written when limit_reason(standing->reason) */
	bool decided;     /* insert: the transaction recorded it otherwise than was wished: see
			   *standing */
	bool recorded;    /* insert: it is there, by this attempt or an earlier one */
	bool found;       /* the key was taken: *standing is that payment's */
	bool same_body;   /* found: with this body, in this ledger */
	bool rolled_back; /* found: it is a tombstone, left by a rollback that came first */
	const char *action_url; /* found: what the person must do; in the attempt's arena */
	const char *action_data;
	bool waits; /* insert: not recorded; its original must come to rest first */
	bool clearing_found;
	struct rt_uuid clearing_id;
	bool transit_found;
	struct rt_uuid transit_id;
	struct rt_uuid remote_transit_id;
	bool original_found; /* in; insert: as found before */
	struct payment_original original;
};

/* One payment's next states. */
struct payment_advance {
	enum payment_kind kind;
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
	int64_t version; /* before */
	int64_t fence;
	enum payment_state state; /* before */
	struct rt_uuid parent_id; /* what it gives back, `amount_minor` of it; nil: nothing */
	int64_t amount_minor;
	size_t change_count;
	struct saga_change changes[SAGA_CHANGES_MAX]; /* with reasons: none is NULL */
	const char *action_url;                       /* with PAYMENT_REQUIRES_ACTION; else NULL */
	const char *action_data;
	int64_t time_us; /* result too: of the attempt that was committed */
	bool written;    /* result; false: somebody else has it now */
};

/* Whether a payment of ours was recorded by a commit whose answer was lost. */
struct payment_probe {
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
	enum payment_state state; /* in which it was to be recorded */
	bool found;               /* result */
	bool mine;                /* result: in that state, and nobody has taken it over */
};

struct payment_notice {
	const char *notification_id;
	const char *reference;
	int status; /* the connector's number, kept and not interpreted */
	int64_t time_us;
	uint8_t body_hash[RT_DIGEST_BYTES];
	bool other; /* result: its id is another notification's, and it was not kept */
};

/* How a payment stands that is being tried in vain. */
struct payment_try {
	struct rt_uuid ledger_id;
	struct rt_uuid payment_id;
	int64_t attempts;
	const char *reason;
	int64_t time_us; /* wall clock */
	int64_t next_us;
};

/* Lists of pointers, in the arena of the attempt. */
struct payment_batch {
	struct rt_uuid worker_id;
	struct payment_entry **entries;
	size_t entry_count;
	struct payment_advance **advances;
	size_t advance_count;
	struct payment_probe **probes;
	size_t probe_count;
	struct payment_notice **notices;
	size_t notice_count;
	struct payment_call **calls;
	size_t call_count;
	struct payment_try **tries;
	size_t try_count;
};

/* The body hash of a tombstone, which no body has; an entry that records one points to it. */
extern const uint8_t payment_tombstone_hash[RT_DIGEST_BYTES];

/* Before the entry is given to a batch: what is to be recorded. */
void payment_entry_wish(struct payment_entry *entry, const struct saga_decision *decision);
/* What a rule that is asked inside the transaction says: the payment is recorded with this decision
 * of saga_decide in CREATED instead. Its reasons are copied. */
void payment_entry_decide(struct payment_entry *entry, const struct saga_decision *decision);

/* Carries the batch out in one transaction, in two round trips, and writes the results into its
 * members. May be repeated after an error: it finds what an earlier attempt has committed. Two
 * entries of one batch must not insert the same caller and key. Errors: rt_pg's; ABORTED KEY_RACE
 * when another replica recorded one of the keys meanwhile: run it again. */
struct rt_status payment_batch_run(struct rt_pg *pg, struct payment_batch *batch,
				   struct rt_arena *arena, int64_t deadline_mono_us);
