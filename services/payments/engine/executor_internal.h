/* What the executor's files share. For engine/ alone.
 *
 * Who owns a saga: it is in exactly one place at a time - a lane, the ledger's queue or a post in
 * flight, a connector's queue or a call in flight, an armed timer - and whoever takes it from there
 * runs it. Others touch only what `lock` guards: the list of waiters, `standing`, the timer and the
 * registry. It is freed by whoever runs it, after it left the registry. */
#pragma once

#include <stdatomic.h>

#include "domain/capabilities.h"
#include "engine/executor.h"
#include "engine/timer_heap.h"
#include "rt/lock.h"
#include "rt/metrics.h"

enum timer_kind {
	TIMER_SAGA_ACT = 1, /* takes the action that its decision orders */
	TIMER_SAGA_WRITE,   /* goes to the lane again */
	TIMER_WAITER,       /* a caller must be answered */
	TIMER_BUDGET,       /* there is a token for a repeat that waits */
	TIMER_CONNECTOR,    /* a connector is asked what it can do */
	TIMER_POLL,         /* a caller's payment, which another process has, is looked at again */
};

struct saga_queue {
	struct saga *first, *last;
	size_t count;
};

/* Sagas whose last call was not answered, and that wait for room in the target's budget. */
struct repeats {
	struct saga_queue queue;
	struct timer timer; /* when there will be room */
	struct rt_series *waiting;
};

struct connector {
	struct executor *executor;
	struct connector_client client;
	struct connector_capabilities capabilities; /* as last told */
	struct timer timer;                         /* when it is asked again; not armed: now */
	struct saga_queue fresh;                    /* that wait for a call */
	struct saga_queue polls; /* the same, after an answer that was not the last word */
	struct repeats repeats;
	uint32_t passed_over; /* calls that have gone before the first of `polls` */
	uint32_t comebacks;   /* how often it was reached again after an outage */
	size_t in_flight;
	struct connector *ask_next; /* among those whose timer is due */
};

struct saga_call;

struct saga {
	struct lane_item lane;
	struct saga *registry_next; /* in its bucket, or in `apart` */
	struct saga *queue_next;
	struct payment_creation *waiters;
	struct timer timer;
	const struct saga_plan *plan;
	struct connector *connector; /* NULL: none, or one that is not configured here */
	struct rt_uuid ledger_id;
	struct rt_uuid remote_ledger_id;
	struct rt_uuid parent_id;
	struct rt_uuid sides[LEDGER_SIDES];
	int64_t amount_minor;
	int64_t fee_minor;
	int64_t fence;
	struct payment_standing standing;
	struct saga_decision decision; /* being carried out */
	struct rt_trace trace;
	bool alone;            /* its post is not to share a call */
	bool unheard;          /* its last call was not answered: the next one is a repeat */
	bool repeats;          /* its call, about to begin, has a token of the budget */
	bool apart;            /* in the executor's list of that name */
	atomic_bool nudged;    /* a notification came while it was busy */
	atomic_bool displaced; /* somebody else has it: it takes no more steps */
	atomic_bool cancel_wanted;
	uint32_t attempts;      /* in a row that did not help */
	uint32_t comebacks;     /* its target's, when its last call began */
	int64_t pause_us;       /* before the action, when the decision says so */
	int64_t told_us;        /* when people were last told of tries in vain */
	struct saga_call *call; /* made, and not written yet; NULL: none */
	char *next_reason;      /* of what is being written; NULL: none */
	char *action;  /* what the person must do, until callers are told: URL and data, one after
			* the other; NULL: nothing */
	uint16_t take; /* of its step in the ledger: see ledger_transfer_id */
	uint16_t take_max; /* that it may come to in this state */
	char currency[4];
	char instrument[];
};

/* 100,000 open payments are to fit into 96 MiB, of which a third is taken without any: see
 * docs/benchmarks/payments.md. What is needed only while something is written is beside it. */
_Static_assert(sizeof(struct saga) <= 528, "an open payment takes too much memory");

/* Posts of one ledger; exists while there are any. */
struct ledger_queue {
	struct ledger_queue *next;
	struct rt_uuid ledger_id;
	struct saga_queue fresh;
	struct saga_queue repeats;
	size_t in_flight;
};

struct clearing_entry {
	struct clearing_entry *next;
	struct rt_uuid ledger_id;
	struct rt_uuid account_id;
	char connector[PAYMENT_CONNECTOR_BYTES];
	char currency[4];
};

#define CLAIM_BUCKETS    4096
/* Far more than there are accounts with many open payments: those that share a place are counted
 * together. */
#define ACCOUNT_BUCKETS  65536
#define CLEARING_BUCKETS 256
#define CLEARING_MAX     65536

struct executor {
	struct executor_config config;
	struct rt_uuid worker_id;
	struct rt_commit *commit;
	pthread_t timer_thread;
	atomic_bool quiet;                               /* no more steps */
	_Atomic uint32_t accounts_open[ACCOUNT_BUCKETS]; /* sagas, by account */
	struct connector connectors[EXECUTOR_CONNECTORS_MAX];
	struct rt_series *open_series;
	struct rt_series *recovered_series;
	struct rt_series *rest_series[PAYMENT_KIND_MAX + 1][PAYMENT_STATE_MAX + 1];

	struct rt_lock lock; /* RT_RANK_SERVICE; guards what follows */
	pthread_cond_t timer_changed;
	struct timer_heap timers;
	struct saga **registry;
	size_t registry_mask;
	struct saga *apart; /* displaced, or not known to be recorded: no more to be found, and
			       freed at the end if nobody runs them before */
	size_t open;        /* sagas that exist, recorded or about to be */
	struct ledger_queue *ledgers;
	struct repeats posts; /* of all ledgers; they have queues of their own */
	uint32_t accounts_comebacks;
	struct payment_creation *claims[CLAIM_BUCKETS];
	struct clearing_entry *clearing[CLEARING_BUCKETS];
	size_t clearing_count;
	int64_t hurry_by_us;
	bool timer_stop;
};

/* executor.c: the registry, and what is counted. All but _room with the lock held. */
struct saga *registry_find(const struct executor *executor, const struct rt_uuid *payment_id);
bool registry_add(struct executor *executor, struct saga *saga); /* false: there already */
void registry_remove(struct executor *executor, struct saga *saga);
/* For what lives outside of the registry. */
void apart_add(struct executor *executor, struct saga *saga);
void apart_remove(struct executor *executor, struct saga *saga); /* does nothing to others */
bool executor_reserve(struct executor *executor); /* one more saga; false when there is no room */
void executor_reserve_always(struct executor *executor); /* for what is this process's already */
void executor_release(struct executor *executor);
struct connector *executor_connector(struct executor *executor,
				     const char *name); /* NULL: not configured */
/* Without the lock: how many sagas there are of an account. */
_Atomic uint32_t *executor_account_open(struct executor *executor,
					const struct rt_uuid *account_id);
/* Jittered, exponential in `attempts`. */
int64_t executor_backoff_us(const struct executor *executor, uint32_t attempts);
/* Arms with the lock held, and wakes the thread when it must. */
void executor_arm(struct executor *executor, struct timer *timer, enum timer_kind kind,
		  int64_t due_us);
struct rt_uuid executor_shard_key(const struct executor *executor, uint64_t hash);

/* timers.c */
/* What waits for its pause is due now, and its pauses begin with the first one again; what is busy
 * is told for when it would pause. With the lock held. */
void saga_hasten(struct executor *executor, struct saga *saga);
void *timers_run(void *executor);

/* saga_run.c */
/* Room must have been reserved. Owns: saga_free, which also gives the room back. */
struct saga *saga_new(struct executor *executor, const struct payment_request *request,
		      const struct payment_standing *standing, int64_t fence);
void saga_free(struct executor *executor, struct saga *saga);
/* Its memory alone, when the executor ends. */
void saga_release(struct saga *saga);
void saga_feed(struct executor *executor, struct saga *saga, struct saga_event event);
/* Takes the decision's action, now or after its pause. */
void saga_act(struct executor *executor, struct saga *saga);
/* Tells those who wait for it how it is now. */
void saga_answer_waiters(struct executor *executor, struct saga *saga);
/* Puts it into its queue now. */
void saga_perform(struct executor *executor, struct saga *saga);
/* To the lane, with what its lane item says. */
void saga_write(struct executor *executor, struct saga *saga);
/* Its try in vain is on record, or could not be: goes on. */
void saga_tried(struct executor *executor, struct saga *saga);
void saga_written(struct executor *executor, struct saga *saga, bool written, int64_t time_us);
void saga_write_failed(struct executor *executor, struct saga *saga, struct rt_status status);
/* A payment that may have been recorded by a commit whose answer was lost: goes on with it if so.
 */
void saga_probe(struct executor *executor, struct saga *saga);
void saga_probed(struct executor *executor, struct saga *saga, const struct payment_probe *probe);

/* Of what is rolled back and never arrived. */
struct payment_tombstone {
	struct payment_entry entry;
	struct payment_request request;
	struct payment_standing standing;
};

/* resolve.c */
/* Whether it can be recorded without asking anybody. */
bool creation_ready(struct payment_creation *creation);
/* The key is free; goes on with what else must be known. */
void creation_resolve(struct payment_creation *creation);
/* What a rollback or a refund has from its original. */
void creation_take_original(struct payment_creation *creation);

/* create.c */
/* Whether a player has as many payments of the account open as one may. */
bool creation_account_full(struct payment_creation *creation);
void creation_record(struct payment_creation *creation);
void creation_end(struct payment_creation *creation, struct rt_status status);
void creation_drop_tombstone(struct payment_creation *creation);
void creation_looked_up(struct payment_creation *creation);
void creation_recorded(struct payment_creation *creation);
void creation_failed(struct payment_creation *creation, struct rt_status status);
void creation_poll(struct payment_creation *creation);
/* Takes a waiter from its saga and notes the payment's standing; with the lock held. Then it must
 * be answered. */
void creation_leave_saga(struct payment_creation *creation);
/* Answers a list of waiters with the payment as it is. */
void creations_answer(struct payment_creation *list);
/* Makes a list of waiters, whose saga was lost to another process, look at the database instead. */
void creations_poll(struct payment_creation *list);

/* queues.c: the ledger's and the connectors' queues. */
void queue_post(struct executor *executor, struct saga *saga);
void queue_provider(struct executor *executor, struct saga *saga);
/* Takes the saga whose call to the connector is next; NULL: none may begin now. With the lock held.
 */
struct saga *queue_take_provider(struct executor *executor, struct connector *connector);
/* Starts calls for what waits, as far as they may be in flight. Called once after a number of sagas
 * was fed. */
void executor_pump(struct executor *executor);

/* lanes.c */
struct rt_status lanes_batch(void *executor, struct rt_pg *pg, struct rt_commit_item **items,
			     size_t count, struct rt_arena *arena);
void lanes_fail(void *executor, struct rt_commit_item *item, struct rt_status status);
