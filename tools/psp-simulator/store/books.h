/* The simulator's durable books, in SQLite: what is committed is on the disk. Thread: one at a
 * time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/operation.h"
#include "rt/arena.h"
#include "rt/cleanup.h"
#include "rt/status.h"

struct books;

/* A notification that is due, with what it tells of. */
struct notification {
	const char *id;
	int64_t attempts; /* so far */
	struct operation operation;
};

/* One line of the totals. */
struct books_total {
	char currency[8];
	enum operation_kind kind;
	enum operation_status status;
	int64_t count;
	int64_t sum_minor;
};

/* Opens the books in a folder and makes them when there are none; `look_only` asks for existing
 * ones. Errors (of all functions): UNAVAILABLE BOOKS_UNAVAILABLE. */
struct rt_status books_open(const char *state_dir, bool look_only, struct books **books);
void books_close(struct books *books);

/* A transaction; what changes the books needs one. */
struct rt_status books_begin(struct books *books);
struct rt_status books_commit(struct books *books);
void books_rollback(struct books *books);

/* Texts of what is found live in the arena. */
struct rt_status books_find(struct books *books, const char *reference, struct rt_arena *arena,
			    struct operation *operation, bool *found);
/* Up to `limit` operations that arrived after `after`. */
struct rt_status books_list(struct books *books, int64_t after, size_t limit,
			    struct rt_arena *arena, struct operation *operations, size_t *count);
struct rt_status books_insert(struct books *books, struct operation *operation);
/* Makes it final now, as its status, decline_reason and update time say. */
struct rt_status books_end(struct books *books, const struct operation *operation);
/* What is given back of a charge, or will be. */
struct rt_status books_refunds_sum(struct books *books, const char *original, int64_t *sum_minor);
struct rt_status books_count_try(struct books *books, const char *reference, int64_t *count);
/* Makes due pending operations final. */
struct rt_status books_settle(struct books *books, int64_t now_wall_us, int64_t *settled);

struct rt_status books_notify(struct books *books, const char *id, const char *reference,
			      enum operation_status shows, int64_t copies, int64_t due_wall_us);
struct rt_status books_notifications_due(struct books *books, int64_t now_wall_us, size_t limit,
					 struct rt_arena *arena, struct notification *notifications,
					 size_t *count);
struct rt_status books_notification_postpone(struct books *books, const char *id,
					     int64_t due_wall_us);
struct rt_status books_notification_delivered(struct books *books, const char *id,
					      int64_t now_wall_us);
struct rt_status books_notification_give_up(struct books *books, const char *id);

/* When something is due next; INT64_MAX when nothing is. `notifies`: notifications count. */
struct rt_status books_next_due(struct books *books, bool notifies, int64_t *due_wall_us);
struct rt_status books_totals(struct books *books, struct books_total *totals, size_t limit,
			      size_t *count);
struct rt_status books_notifications_waiting(struct books *books, int64_t *count);
