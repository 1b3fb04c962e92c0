/* Carries payments out. Sagas live in memory while they are open and go from queue to queue: the
 * shared database transactions (lanes), the ledger (batches of posts), the connectors, or a timer;
 * no thread waits for one. Everything that is done outside was written down before. For main.c,
 * recovery and rpc/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/accounts.h"
#include "client/connector.h"
#include "domain/payment.h"
#include "engine/timer_heap.h"
#include "rt/group_commit.h"
#include "rt/pg.h"
#include "rt/trace.h"
#include "store/payment_batch.h"
#include "store/payment_store.h"

struct executor;
struct payment_tombstone;

#define EXECUTOR_CONNECTORS_MAX 16

struct executor_config {
	struct rt_pg_config pg;
	struct accounts_client accounts;
	struct connector_client
		connectors[EXECUTOR_CONNECTORS_MAX]; /* names outlive the executor */
	size_t connector_count;
	size_t lanes;
	size_t queue_max;              /* items that wait for a lane */
	size_t sagas_max;              /* open payments in memory */
	uint32_t account_open_max;     /* of them, of one account, for players */
	size_t posts_in_flight_max;    /* calls to accounts at a time, a ledger */
	size_t provider_in_flight_max; /* calls at a time, a connector */
	int64_t retry_ms_min;
	int64_t retry_ms_max;
	int64_t capabilities_ms; /* between two questions what a connector can do */
};

struct executor *executor_new(const struct executor_config *config);
/* Who this process is among the workers: made at start. */
struct rt_uuid executor_worker_id(const struct executor *executor);
/* How a connector is called; NULL: it is not configured. */
const struct connector_client *executor_connector_client(struct executor *executor,
							 const char *name);
/* How many payments are in memory, and how many more it would take. */
size_t executor_open(struct executor *executor);
size_t executor_room(struct executor *executor);
/* Callers that wait for a payment are answered by then at the latest, with the payment as it is.
 * Before the server stops. */
void executor_hurry(struct executor *executor, int64_t by_mono_us);
/* No saga takes another step from now on. Before the client is stopped. */
void executor_quiesce(struct executor *executor);
/* Writes what waits to be written, until the deadline, and ends the threads. After the client was
 * stopped. */
void executor_stop(struct executor *executor, int64_t deadline_mono_us);
/* After _stop; the sagas stay in the database. */
void executor_destroy(struct executor *executor);

enum lane_kind { LANE_FIND, LANE_INSERT, LANE_ADVANCE, LANE_PROBE, LANE_NOTICE, LANE_TRY };

/* What a lane carries; the kind says what it is part of. */
struct lane_item {
	struct rt_commit_item item;
	enum lane_kind kind;
};

struct saga;

/* A call that asks for a payment. Owns: the caller keeps it, and what the request points to, until
 * `done`. */
struct payment_creation {
	/* By the caller. */
	struct payment_request request;
	char caller[PAYMENT_CALLER_BYTES];
	bool own_accounts_only; /* the account must be owned by `caller` */
	struct rt_trace trace;
	int64_t deadline_mono_us;
	void (*done)(struct payment_creation *creation,
		     struct rt_status status); /* once, from any thread */
	void *context;
	/* Results, when the status is OK. */
	struct payment_standing standing;
	bool replayed;
	const char
		*action_url; /* what the person must do; lent until `done` returns; NULL: nothing */
	const char *action_data;
	struct limit_refusal limit; /* when limit_reason(standing.reason) */
	/* The executor's own. */
	struct lane_item lane;
	struct executor *executor;
	struct payment_entry entry;
	uint8_t body_hash[RT_DIGEST_BYTES];
	char person[LIMIT_PERSON_BYTES]; /* who owns the account; "" when nobody can have limits */
	struct saga *saga;               /* prepared, to be recorded */
	struct payment_tombstone *tombstone;
	struct saga *waits_for;
	struct payment_creation
		*next; /* in the list of a saga's waiters, or of a claim's followers */
	struct payment_creation
		*followers; /* with the same key, while this one is being recorded */
	struct payment_creation *claim_next;
	struct timer timer;
	int64_t answer_by_us;
	int64_t poll_us;
	bool calls_off;                     /* waits for what becomes of a wish to call it off */
	char refusal[PAYMENT_REASON_BYTES]; /* a rule that declines it before anything is done */
	bool attempted;                     /* the database may have seen it */
};

/* Starts a payment, or finds the one that has its key, and waits for it without a thread. Never
 * blocks. Errors (by done): FAILED_PRECONDITION IDEMPOTENCY_PAYLOAD_MISMATCH,
 * CONNECTOR_NOT_REGISTERED, and capabilities_check's; NOT_FOUND ACCOUNT_NOT_FOUND (a player's: also
 * another's account), LEDGER_NOT_FOUND; RESOURCE_EXHAUSTED; UNAVAILABLE; DEADLINE_EXCEEDED. */
void executor_create(struct executor *executor, struct payment_creation *creation);

/* Waits for what becomes of a payment that is to be called off, whichever process has it. The wish
 * is on record; `creation` has the payment as it was read: its request, the caller who asked for
 * it, and its standing. At the deadline it may be undecided still: see saga_canceling. */
void executor_cancel(struct executor *executor, struct payment_creation *creation);

/* A connector's notification. Owns: the caller keeps it until `done`. */
struct payment_notification {
	struct payment_notice notice;
	int64_t deadline_mono_us;
	void (*done)(struct payment_notification *notification, struct rt_status status);
	void *context;
	/* The executor's own. */
	struct lane_item lane;
	struct executor *executor;
};

/* Keeps it, and makes the payment of that reference, when this process has it, ask its connector.
 * Never blocks. */
void executor_notify(struct executor *executor, struct payment_notification *notification);

/* Makes the saga, when this process has it, take its next step now instead of after its pause.
 * False: this process does not have it. */
bool executor_wake(struct executor *executor, const struct rt_uuid *payment_id);
/* The same, and the payment is to be called off if it still can be. */
bool executor_call_off(struct executor *executor, const struct rt_uuid *payment_id);
/* The saga, when this process has it, takes no more steps: it is somebody else's, or is to be
 * adopted anew. */
void executor_displace(struct executor *executor, const struct rt_uuid *payment_id);

/* Moves those that are not in memory to the front; how many there are. */
size_t executor_strays(struct executor *executor, struct payment_place *places, size_t count);
/* Goes on with sagas that were taken over. */
void executor_adopt(struct executor *executor, const struct payment_lapsed *lapsed, size_t count);
