/* Compares a connector's report with payments, in bounded memory: the report is held, payments are
 * read in pages. For rpc/, on a worker. */
#pragma once

#include "domain/reconcile.h"
#include "rt/arena.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "store/reconcile_store.h"

#define RECONCILE_REFERENCE_BYTES 65
#define RECONCILE_CURRENCY_BYTES  16

/* An operation of a report. */
struct reported {
	char reference[RECONCILE_REFERENCE_BYTES];
	char currency[RECONCILE_CURRENCY_BYTES];
	enum provider_operation operation;
	enum reconcile_status status;
	int64_t amount_minor;
	int64_t create_us; /* wall clock; 0: not said */
	int wire_kind;     /* as it came, for the answer */
	int wire_status;
	bool give_back; /* of what the payment named by its original did: part of that payment */
	bool known;     /* the comparison's own */
};

struct reconciling {
	struct rt_pg *pg;
	int64_t deadline_mono_us;
	const char *connector;
	int64_t start_us;
	int64_t end_us;
	struct reported *report; /* is put into another order */
	size_t count;
	bool whole; /* what is not in the report is missing there */
	/* Called for each difference; either may be NULL, not both. */
	void (*found)(void *context, enum reconcile_difference kind,
		      const struct reconcile_row *ours, const struct reported *theirs);
	void *context;
	int64_t payment_count; /* result */
};

/* Errors: rt_pg's. */
struct rt_status reconciling_run(struct reconciling *reconciling);
