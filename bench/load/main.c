/* daler-load: loads a service in one case and prints one JSON object. Everything about the
 * environment comes from the variables that `./daler env` prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts_cases.h"
#include "lane.h"
#include "load.h"
#include "payments_cases.h"
#include "rt/clock.h"
#include "rt/config.h"
#include "rt/log.h"
#include "rt/process.h"
#include "stream.h"
#include "world.h"

/* What a caller who has a window of groups at hand puts into one message. */
#define STREAM_MESSAGE_GROUPS 50

struct load_config {
	const char *case_name;
	const char *ledger;
	const char *accounts_addr;
	const char *payments_addr;
	const char *cert_dir;
	const char *token;
	const char *accounts_db;
	int64_t accounts;
	int64_t duration_ms;
	int64_t in_flight;
	int64_t batch;
	int64_t calls;
	int64_t call_ms;
	int64_t gives_up;
};

static const struct rt_setting settings[] = {
	RT_TEXT_SETTING(struct load_config, case_name, "case", "", 0, 64,
			"the case to run; empty: only set up"),
	RT_TEXT_SETTING(struct load_config, ledger, "ledger", NULL, 36, 36,
			"id of the ledger to use"),
	RT_TEXT_SETTING(struct load_config, accounts_addr, "accounts_addr", NULL, 3, 255,
			"host:port of accounts"),
	RT_TEXT_SETTING(struct load_config, payments_addr, "payments_addr", "", 0, 255,
			"host:port of payments, for its cases"),
	RT_TEXT_SETTING(struct load_config, cert_dir, "cert_dir", NULL, 1, 4096,
			"folder of certificates, one a service"),
	RT_TEXT_SETTING(struct load_config, token, "token", "", 0, 8192,
			"an operator's token, for the setup and for payments"),
	RT_TEXT_SETTING(struct load_config, accounts_db, "accounts_db", "", 0, 4096,
			"libpq connection string of accounts' database, for the case lane"),
	RT_INT_SETTING(struct load_config, accounts, "accounts", "10000", 2, 10000000, "accounts",
		       "accounts in the ledger"),
	RT_INT_SETTING(struct load_config, in_flight, "in_flight", "0", 0, 100000, "calls",
		       "calls in flight; 0: as many as the case says"),
	RT_INT_SETTING(struct load_config, calls, "calls", "0", 0, 100000000, "calls",
		       "end after so many calls; 0: after the time"),
	RT_INT_SETTING(struct load_config, call_ms, "call_ms", "30000", 1, 3600000, "ms",
		       "deadline of a call"),
	RT_INT_SETTING(struct load_config, gives_up, "gives_up", "0", 0, 1, "",
		       "1: a call that is not answered in time counts as made, and not as wrong"),
	RT_INT_SETTING(struct load_config, batch, "batch", "1000", 1, 1000, "transfers",
		       "transfers in a transaction, for the case lane"),
	RT_INT_SETTING(struct load_config, duration_ms, "duration_ms", "5000", 100, 3600000, "ms",
		       "how long to load"),
};

static const struct rt_program program = {
	.name = "daler-load",
	.variable = "DALER",
	.purpose = "Loads a service over mutual TLS with every answer checked, and prints one JSON "
		   "object.",
	.commands = "(none)   run the case\n",
	.settings = settings,
	.setting_count = sizeof(settings) / sizeof(settings[0]),
};

static struct rt_tls tls_of(const struct load_config *config, const char *identity,
			    char paths[3][4200])
{
	static const char *const names[3] = {"tls.crt", "tls.key", "ca.crt"};
	for (int i = 0; i < 3; i++)
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%s/%s", config->cert_dir, identity,
			       names[i]);
	return (struct rt_tls){.cert = paths[0],
			       .key = paths[1],
			       .ca = paths[2],
			       .trust_domain = "daler.local",
			       .reload_ms = 60000};
}

static void check(struct rt_status status, const char *what)
{
	if (!rt_is_ok(&status))
		rt_process_fail(what, status);
}

/* A channel to a service as `identity`; what it needs lives as long as the process. */
static struct rt_channel *channel_as(const struct load_config *config, const char *identity,
				     const char *address, enum rt_identity expected,
				     struct rt_client **client)
{
	static char paths[2][3][4200];
	static size_t used;
	struct rt_tls tls = tls_of(config, identity, paths[used++ % 2]);
	struct rt_channel *channel = NULL;
	check(rt_client_new(&tls, client), "client");
	check(rt_channel_new(*client, address, expected, &channel), "channel");
	return channel;
}

static void print_result(const char *name, const struct load_result *result)
{
	static const struct {
		const char *name;
		uint32_t per_million;
	} quantiles[] = {{"p50_us", 500000}, {"p99_us", 990000}, {"p999_us", 999000}};
	(void)printf("{\"name\":\"%s\",\"units\":%llu,\"calls\":%llu,\"wrong\":%llu,\"duration_"
		     "us\":%lld,\"error\":\"%s\"",
		     name, (unsigned long long)result->units, (unsigned long long)result->calls,
		     (unsigned long long)result->wrong, (long long)result->duration_us,
		     result->first_error);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		(void)printf(",\"%s\":%lld", quantiles[i].name,
			     (long long)histogram_quantile_us(&result->latency,
							      quantiles[i].per_million));
	(void)printf("}\n");
}

static const struct load_case *find_in(const struct load_case *cases, size_t count,
				       const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(cases[i].name, name) == 0)
			return &cases[i];
	return NULL;
}

static void close_channel(struct rt_channel *channel, struct rt_client *client)
{
	rt_client_stop(client);
	rt_channel_destroy(channel);
	rt_client_destroy(client);
}

static void set_up(const struct load_config *config, const struct load_world *world)
{
	struct rt_client *client = NULL;
	struct rt_channel *channel =
		channel_as(config, "operator", config->accounts_addr, RT_ID_ACCOUNTS, &client);
	check(world_create(world, channel, config->token), "setup");
	close_channel(channel, client);
	if (config->payments_addr[0] == '\0')
		return;
	channel = channel_as(config, "operator", config->payments_addr, RT_ID_PAYMENTS, &client);
	check(payments_set_up(world, channel, config->token), "setup");
	close_channel(channel, client);
}

/* Accounts is loaded as payments does it, and read as an operator does; payments is loaded as a
 * company's operator does, with a token. */
static void run_case(const struct load_config *config, const struct load_world *world,
		     struct load_result *result)
{
	const char *name = config->case_name;
	const struct load_case *post = find_in(accounts_cases, accounts_case_count, name);
	const struct load_case *read = find_in(accounts_reads, accounts_read_count, name);
	const struct load_case *payment = find_in(payments_cases, payments_case_count, name);
	const struct load_case *found = post != NULL ? post : read != NULL ? read : payment;
	if (found == NULL) {
		(void)fprintf(stderr, "daler-load: no such case: %s\n", name);
		exit(2);
	}
	struct rt_client *client = NULL;
	struct rt_channel *channel =
		channel_as(config, post != NULL ? "payments" : "operator",
			   payment != NULL ? config->payments_addr : config->accounts_addr,
			   payment != NULL ? RT_ID_PAYMENTS : RT_ID_ACCOUNTS, &client);
	struct load_case load_case = *found;
	if (config->in_flight > 0)
		load_case.in_flight = (size_t)config->in_flight;
	const struct load_limits limits = {
		.duration_us = config->duration_ms * RT_US_PER_MS,
		.calls_max = (uint64_t)config->calls,
		.call_us_max = config->call_ms * RT_US_PER_MS,
		.gives_up = config->gives_up == 1,
	};
	load_run(&load_case, channel, post != NULL ? NULL : config->token, world, &limits, result);
	close_channel(channel, client);
}

static void run_stream(const struct load_config *config, const struct load_world *world,
		       struct load_result *result)
{
	struct rt_client *client = NULL;
	struct rt_channel *channel =
		channel_as(config, "payments", config->accounts_addr, RT_ID_ACCOUNTS, &client);
	size_t message_groups =
		strcmp(config->case_name, "stream") == 0 ? STREAM_MESSAGE_GROUPS : 1;
	stream_run(channel, world, message_groups, config->duration_ms * RT_US_PER_MS, result);
	close_channel(channel, client);
}

int main(int argc, char **argv)
{
	struct load_config config = {0};
	struct rt_command command = {0};
	rt_process_init();
	rt_config_load(&program, argc, argv, &config, &command);
	rt_log_init("daler-load", "warn");
	static struct load_world world;
	if (!rt_uuid_parse(config.ledger, &world.ledger)) {
		(void)fprintf(stderr, "daler-load: --ledger: not a UUID\n");
		return 2;
	}
	rt_uuid_format(&world.ledger, world.ledger_id);
	world_init(&world, (size_t)config.accounts);
	if (config.case_name[0] == '\0') {
		set_up(&config, &world);
		return 0;
	}
	static struct load_result result;
	if (strcmp(config.case_name, "lane") == 0)
		lane_run(config.accounts_db, &world, (size_t)config.batch,
			 config.duration_ms * RT_US_PER_MS, &result);
	else if (strncmp(config.case_name, "stream", strlen("stream")) == 0)
		run_stream(&config, &world, &result);
	else
		run_case(&config, &world, &result);
	print_result(config.case_name, &result);
	return result.wrong == 0 ? 0 : 1;
}
