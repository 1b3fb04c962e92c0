/* What the teller is asked. For the engine and rpc. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/behaviour.h"
#include "domain/operation.h"
#include "rt/arena.h"
#include "rt/status.h"

enum task_kind {
	TASK_ORDER,     /* carry out `order` as `behaviour` says */
	TASK_CAPTURE,   /* what `reference` has authorized */
	TASK_CANCEL,    /* what `reference` has authorized, or begun */
	TASK_FIND,      /* the operation `reference` */
	TASK_LIST,      /* up to `limit` operations after `after` */
	TASK_DELIVERED, /* payments has taken the notification `reference` */
	TASK_WAKE,      /* nothing: look around */
};

/* Lent to the teller from _submit until `answer` is called, once, on the teller's thread. */
struct task {
	enum task_kind kind;
	void (*answer)(struct task *task);
	struct rt_arena *arena; /* for what is found */
	int64_t deadline_mono_us;

	struct order order;
	struct behaviour behaviour;
	bool scripted; /* the behaviour is the request's own */
	const char *reference;
	int64_t after;
	size_t limit;

	struct rt_status status;
	struct operation
		*operations; /* room for `limit`, 1 for an order or a find; made by the submitter */
	size_t count;
	int64_t answer_mono_us; /* the teller's: held back until then */
	bool unanswered;        /* the teller's: only ends because a call has to */
};
