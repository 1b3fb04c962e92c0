/* daler-load: loads a service in one case and prints one JSON object. Everything about the
 * environment comes from the variables that `./daler env` prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts_cases.h"
#include "lane.h"
#include "load.h"
#include "rt/clock.h"
#include "rt/config.h"
#include "rt/log.h"
#include "rt/process.h"
#include "world.h"

struct load_config {
	const char *case_name;
	const char *ledger;
	const char *accounts_addr;
	const char *cert_dir;
	const char *token;
	const char *accounts_db;
	int64_t accounts;
	int64_t duration_ms;
	int64_t in_flight;
};

static const struct rt_setting settings[] = {
	RT_TEXT_SETTING(struct load_config, case_name, "case", "", 0, 64,
			"the case to run; empty: only set up"),
	RT_TEXT_SETTING(struct load_config, ledger, "ledger", NULL, 36, 36,
			"id of the ledger to use"),
	RT_TEXT_SETTING(struct load_config, accounts_addr, "accounts_addr", NULL, 3, 255,
			"host:port of accounts"),
	RT_TEXT_SETTING(struct load_config, cert_dir, "cert_dir", NULL, 1, 4096,
			"folder of certificates, one a service"),
	RT_TEXT_SETTING(struct load_config, token, "token", "", 0, 8192,
			"an operator's token, for the setup"),
	RT_TEXT_SETTING(struct load_config, accounts_db, "accounts_db", "", 0, 4096,
			"libpq connection string of accounts' database, for the case lane"),
	RT_INT_SETTING(struct load_config, accounts, "accounts", "10000", 2, 10000000, "accounts",
		       "accounts in the ledger"),
	RT_INT_SETTING(struct load_config, in_flight, "in_flight", "0", 0, 100000, "calls",
		       "calls in flight; 0: as many as the case says"),
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

/* A channel to accounts as `identity`; it lives as long as the process. */
static struct rt_channel *channel_as(const struct load_config *config, const char *identity,
				     struct rt_client **client)
{
	static char paths[2][3][4200];
	static size_t used;
	struct rt_tls tls = tls_of(config, identity, paths[used++ % 2]);
	struct rt_channel *channel = NULL;
	check(rt_client_new(&tls, client), "client");
	check(rt_channel_new(*client, config->accounts_addr, RT_ID_ACCOUNTS, &channel), "channel");
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

static const struct load_case *find_case(const char *name)
{
	for (size_t i = 0; i < accounts_case_count; i++)
		if (strcmp(accounts_cases[i].name, name) == 0)
			return &accounts_cases[i];
	(void)fprintf(stderr, "daler-load: no such case: %s\n", name);
	exit(2);
}

static void set_up(const struct load_config *config, const struct load_world *world)
{
	struct rt_client *client = NULL;
	struct rt_channel *channel = channel_as(config, "operator", &client);
	check(world_create(world, channel, config->token), "setup");
	rt_client_stop(client);
	rt_channel_destroy(channel);
	rt_client_destroy(client);
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
	world.account_count = (size_t)config.accounts;
	if (config.case_name[0] == '\0') {
		set_up(&config, &world);
		return 0;
	}
	static struct load_result result;
	if (strcmp(config.case_name, "lane") == 0) {
		lane_run(config.accounts_db, &world, 1000, config.duration_ms * RT_US_PER_MS,
			 &result);
		print_result("lane", &result);
		return result.wrong == 0 ? 0 : 1;
	}
	struct rt_client *client = NULL;
	struct rt_channel *channel = channel_as(&config, "payments", &client);
	struct load_case load_case = *find_case(config.case_name);
	if (config.in_flight > 0)
		load_case.in_flight = (size_t)config.in_flight;
	load_run(&load_case, channel, NULL, &world, config.duration_ms * RT_US_PER_MS, &result);
	print_result(load_case.name, &result);
	rt_client_stop(client);
	rt_channel_destroy(channel);
	rt_client_destroy(client);
	return result.wrong == 0 ? 0 : 1;
}
