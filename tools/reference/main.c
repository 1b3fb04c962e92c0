/* daler-reference: prints a reference page, as Markdown, from the table that the code is compiled
 * from. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rt/identity.h"
#include "rt/rpc_server.h"
#include "rt/status.h"

struct method_row {
	const char *service;
	const char *name;
	uint64_t callers;
	int64_t deadline_ms_max;
};

#define METHOD(service_name, method, kind, run, request, reply, function, who, limit_ms)           \
	{service_name, #method, who, limit_ms},
static const struct method_row method_rows[] = {
#include "services/accounts/methods.def"
#include "services/auth/methods.def"
#include "services/payments/methods.def"
#include "tools/psp-simulator/methods.def"
};
#undef METHOD

struct metric_row {
	const char *name;
	const char *kind;
	const char *labels;
	const char *help;
};

#define RT_METRIC_ENUM(id, name, kind, labels, help) {name, #kind, labels, help},
static const struct metric_row metric_rows[] = {
#include "rt/metrics.def"
};
#undef RT_METRIC_ENUM

struct code_row {
	const char *name;
	int grpc;
	const char *level;
	bool retry;
};

#define CODE_ROW(name, grpc, level, retry) {#name, grpc, #level, retry},
static const struct code_row code_rows[] = {RT_CODES(CODE_ROW)};
#undef CODE_ROW

static void print_roles(uint32_t roles)
{
	static const struct {
		uint32_t role;
		const char *name;
	} names[] = {{RT_ROLE_NONE, "no token"},
		     {RT_ROLE_PLAYER, "player"},
		     {RT_ROLE_OPERATOR, "operator"},
		     {RT_ROLE_AUDITOR, "auditor"}};
	bool first = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((roles & names[i].role) == 0)
			continue;
		(void)printf("%s%s", first ? "" : " or ", names[i].name);
		first = false;
	}
}

static void print_callers(uint64_t callers)
{
	bool first = true;

	if (callers == RT_ALLOW_ANY_IDENTITY) {
		(void)printf("every identity: no token");
		return;
	}
	for (int id = 0; id < RT_ID_COUNT; id++) {
		uint32_t roles = rt_allowed_roles(callers, (enum rt_identity)id);
		if (roles == 0)
			continue;
		(void)printf("%s%s: ", first ? "" : "; ", rt_identity_name((enum rt_identity)id));
		print_roles(roles);
		first = false;
	}
}

static void print_methods(void)
{
	(void)printf(
		"# Methods and who may call them\n\nMade from each service's `methods.def`. An "
		"identity is the last "
		"segment of the certificate's SPIFFE id; behind it stands the role that the bearer "
		"token must "
		"carry. Who is not named is denied. The deadline is the longest that a call may "
		"take, and the one of "
		"a call without its own.\n\nBesides these, each server answers "
		"`grpc.health.v1.Health` (every "
		"identity) and `grpc.reflection.v1` and `v1alpha` (operator), without a token.\n\n"
		"| method | callers | deadline |\n|---|---|---:|\n");
	for (size_t i = 0; i < sizeof(method_rows) / sizeof(method_rows[0]); i++) {
		const struct method_row *row = &method_rows[i];
		(void)printf("| `%s/%s` | ", row->service, row->name);
		print_callers(row->callers);
		if (row->deadline_ms_max == RT_STREAM_FOREVER)
			(void)printf(" | none: a stream, which ends with its token |\n");
		else
			(void)printf(" | %lld ms |\n", (long long)row->deadline_ms_max);
	}
}

static void print_metrics(void)
{
	(void)printf("# Metrics\n\nMade from `runtime/include/rt/metrics.def`; served at "
		     "`/metrics` of the admin port. "
		     "Histograms of durations are in seconds. Besides these there are the usual "
		     "`process_*`.\n\n"
		     "| metric | kind | labels | what |\n|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(metric_rows) / sizeof(metric_rows[0]); i++) {
		const struct metric_row *row = &metric_rows[i];
		(void)printf("| `%s` | %s | %s | %s |\n", row->name, row->kind, row->labels,
			     row->help);
	}
}

static void print_codes(void)
{
	(void)printf("# Status codes\n\nMade from `runtime/include/rt/status.h`: the code inside, "
		     "the gRPC code that a "
		     "caller sees, the level at which a call that ends so is logged, and whether "
		     "trying again, with the "
		     "same key, can help.\n\n| code | gRPC | log level | try again "
		     "|\n|---|---:|---|---|\n");
	for (size_t i = 0; i < sizeof(code_rows) / sizeof(code_rows[0]); i++)
		(void)printf("| `%s` | %d | %s | %s |\n", code_rows[i].name, code_rows[i].grpc,
			     code_rows[i].level, code_rows[i].retry ? "yes" : "no");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} pages[] = {
		{"methods", print_methods}, {"metrics", print_metrics}, {"codes", print_codes}};

	for (size_t i = 0; argc == 2 && i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(argv[1], pages[i].name) == 0) {
			pages[i].print();
			return 0;
		}
	}
	(void)fprintf(stderr, "usage: daler-reference methods|metrics|codes\n");
	return 2;
}
