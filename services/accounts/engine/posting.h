/* The posting engine: groups from many calls share one transaction, decided in order of arrival.
 * For the service's rpc/ and main.c. Source: docs/decisions/0010-one-batch-per-ledger-at-a-time.md.
 */
#pragma once

#include <stddef.h>

#include "domain/book.h"
#include "domain/group.h"
#include "rt/group_commit.h"
#include "rt/id.h"
#include "rt/pace.h"
#include "rt/pg.h"
#include "rt/status.h"

struct posting_request;

/* The end of a request, exactly once, on a lane's thread: with an outcome for each group, in order,
 * when the status is OK. Outcomes are lent. The request isn't touched afterwards. */
typedef void (*posting_answer)(struct posting_request *request, struct rt_status status,
			       const struct outcome *outcomes);

/* One call's groups. Owns: the caller, until the answer; texts of the groups likewise. */
struct posting_request {
	struct rt_commit_item item; /* first */
	struct group *groups;       /* checked, with their hashes */
	size_t group_count;
	size_t transfer_count; /* of all groups */
	posting_answer answer;
	void *context;
};

struct posting_config {
	struct rt_pg_config pg;
	size_t lanes;
	size_t queue_max;     /* calls that wait */
	size_t transfers_max; /* in one transaction */
	int64_t reads_percent;
};

struct posting;

struct posting *posting_new(const struct posting_config *config);
/* Queues the request for its ledger; callers take turns, and each one's requests keep their order.
 * A caller of 0 is this service itself. Thread: any; never blocks. Errors: RESOURCE_EXHAUSTED
 * QUEUE_FULL, UNAVAILABLE SHUTTING_DOWN; then there is no other answer. */
struct rt_status posting_submit(struct posting *posting, struct posting_request *request,
				const struct rt_uuid *ledger_id, uint64_t caller,
				int64_t deadline_mono_us);
/* By which reads of many rows give way to posting. Owns: the engine. */
struct rt_pace *posting_reads(struct posting *posting);
/* Takes no more, carries out what waits until the deadline, fails the rest. */
void posting_stop(struct posting *posting, int64_t deadline_mono_us);
/* After _stop. */
void posting_destroy(struct posting *posting);
