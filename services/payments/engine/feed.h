/* Hands a ledger's changes to those who watch it: in order, none left out, none twice, at the pace
 * of each. One thread and one connection, however many watch; what they wait for stays in the
 * database, and only a page of it is in memory. For main.c and rpc/. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/feed.h"
#include "domain/payment.h"
#include "rt/pg.h"
#include "store/feed_store.h"

struct feed;

struct feed_config {
	struct rt_pg_config pg;
	size_t watchers_max;
	int64_t poll_ms_min; /* between looks, while there is news */
	int64_t poll_ms_max; /* it doubles up to this while there is none */
};

struct feed *feed_new(const struct feed_config *config);
/* Ends every watcher and the thread. */
void feed_stop(struct feed *feed);
void feed_destroy(struct feed *feed);

/* Somebody who watches. The functions are called on the feed's thread, with `context`. */
struct feed_watcher {
	/* By the caller. */
	struct rt_uuid ledger_id;
	char caller[PAYMENT_CALLER_BYTES]; /* whose payments; "" for all */
	struct page_place at;
	bool from_now;                 /* instead of `at` */
	size_t (*room)(void *context); /* how many changes it would take now */
	/* One change, or with NULL only how far everything has been seen. False: it has gone. */
	bool (*deliver)(void *context, const struct feed_change *change,
			const struct page_place *place);
	/* Once, the last thing: nothing of the watcher is touched any more. */
	void (*ended)(void *context, struct rt_status status);
	void *context;
	atomic_bool left; /* set by whoever learns that it has gone; then feed_wake */
	/* The feed's own. */
	struct feed_watcher *next;
	bool started;
	bool apart; /* far behind, and with few payments: these alone are read */
	atomic_bool stalled;
	int64_t told_us;
};

/* Takes the watcher on; from then on it is the feed's until `ended`. Errors: RESOURCE_EXHAUSTED
 * TOO_MANY_WATCHERS, UNAVAILABLE SHUTTING_DOWN; then it stays the caller's. */
struct rt_status feed_watch(struct feed *feed, struct feed_watcher *watcher);
/* Looks at once. Thread: any. */
void feed_wake(struct feed *feed);
