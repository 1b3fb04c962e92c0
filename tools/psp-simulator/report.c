#include "report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/behaviour.h"
#include "rt/assert.h"
#include "rt/money.h"
#include "store/books.h"

/* Three kinds and six statuses for each of the currencies there are. */
#define TOTALS_MAX 8192

static json_t *amount(const struct books_total *total)
{
	return json_pack("{s:I, s:I}", "count", (json_int_t)total->count, "amount_minor",
			 (json_int_t)total->sum_minor);
}

/* The object of a name in an object, made when it is missing. */
static json_t *object_in(json_t *parent, const char *name)
{
	json_t *object = json_object_get(parent, name);

	if (object == NULL) {
		object = json_object();
		json_object_set_new(parent, name, object);
	}
	return object;
}

static void add_moved(json_t *currency, const char *name, const struct books_total *total)
{
	if (total->status == OPERATION_SUCCEEDED)
		json_object_set_new(currency, name, json_integer(total->sum_minor));
}

static const struct {
	const char *plural;
	const char *moved;
} kinds[] = {
	[OPERATION_CHARGE] = {"charges", "charged_minor"},
	[OPERATION_PAYOUT] = {"payouts", "paid_out_minor"},
	[OPERATION_REFUND] = {"refunds", "refunded_minor"},
};
static json_t *currencies(const struct books_total *totals, size_t count)
{
	json_t *all = json_object();

	for (size_t i = 0; i < count; i++) {
		const struct books_total *total = &totals[i];
		json_t *currency = object_in(all, total->currency);
		json_t *kind = object_in(currency, kinds[total->kind].plural);

		for (int k = OPERATION_CHARGE; k <= OPERATION_REFUND; k++) {
			if (json_object_get(currency, kinds[k].moved) == NULL)
				json_object_set_new(currency, kinds[k].moved, json_integer(0));
		}
		add_moved(currency, kinds[total->kind].moved, total);
		json_object_set_new(kind, operation_status_name(total->status), amount(total));
	}
	return all;
}

static struct rt_status collect(struct books *books, json_t **report)
{
	static struct books_total totals[TOTALS_MAX];
	size_t count = 0;
	int64_t waiting = 0;

	RT_TRY(books_totals(books, totals, TOTALS_MAX, &count));
	RT_TRY(books_notifications_waiting(books, &waiting));
	*report = json_pack("{s:o, s:I}", "currencies", currencies(totals, count),
			    "notifications_waiting", (json_int_t)waiting);
	return rt_ok();
}

int report_books(const char *state_dir)
{
	struct books *books = NULL;
	json_t *report = NULL;
	struct rt_status status = books_open(state_dir, true, &books);

	if (rt_is_ok(&status)) {
		status = collect(books, &report);
		books_close(books);
	}
	if (!rt_is_ok(&status)) {
		fprintf(stderr, "daler-psp-simulator: %s (%s)\n", status.detail, status.reason);
		return EXIT_FAILURE;
	}
	RT_ASSERT(report != NULL);
	json_dumpf(report, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(report);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char page_begin[] =
	"# The PSP simulator\n\n"
	"Made from `tools/psp-simulator/domain/behaviour.def`.\n\n"
	"`daler-psp-simulator` is a payment service provider to test against: a process of its own "
	"behind\n"
	"`daler.connector.v1`, over mutual TLS with the identity `connector`. Whatever it is told "
	"to do, it\n"
	"carries out an operation once: a repeated reference with the same content is answered "
	"with the\n"
	"operation as it now is, with another content it is refused "
	"(`IDEMPOTENCY_PAYLOAD_MISMATCH`). What it\n"
	"has done, how often it was asked, and what it still has to notify is in its books, an "
	"SQLite database\n"
	"in `state_dir`, on the disk before it answers; it goes on after a crash where it was.\n\n"
	"A request tells it what to do by its `instrument`: `sim:` and behaviours, separated by "
	"commas, such as\n"
	"`sim:fail-before=2,delay=500`. Any other instrument does what the setting "
	"`default_behaviour` says,\n"
	"and, at random, what `fail_percent` and `no_answer_percent` say. What it doesn't "
	"understand it\n"
	"refuses (`INVALID_FIELD`).\n\n";

static const char page_end[] =
	"\nTries are counted by reference, across restarts: first those of `fail-before`, then "
	"those of `lost`,\n"
	"then those of `no-answer` and `late`, counted from the first one that does the work. "
	"However the\n"
	"answer fails to come, `GetOperation` tells the truth at once.\n\n"
	"An operation that has become final is notified to `payments_addr` until it is taken, with "
	"a growing\n"
	"interval; what is not taken survives a restart.\n\n"
	"`daler-psp-simulator books --state-dir DIR` prints what was charged and paid out in each "
	"currency, as\n"
	"JSON, also while it runs: the other side of the ledger's clearing accounts. "
	"`ListOperations` lists\n"
	"every operation, to the payments service and to an operator's certificate.\n";

int report_behaviours(void)
{
	fputs(page_begin, stdout);
	behaviour_print_reference(stdout);
	fputs(page_end, stdout);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
