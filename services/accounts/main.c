/* accounts: ledgers, accounts, and atomic groups of transfers between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts_schema.h"
#include "config.h"
#include "daler/accounts/v1/accounts.pb-c.h"
#include "engine/background.h"
#include "engine/expiry.h"
#include "engine/invalidator.h"
#include "engine/posting.h"
#include "rpc/handlers.h"
#include "rpc/service.h"
#include "rt/admin_http.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/process.h"
#include "rt/redis.h"
#include "rt/rpc_client.h"
#include "rt/rpc_server.h"
#include "rt/token.h"

/* At once; each reads as fast as it can. */
#define VERIFICATIONS_MAX    2
#define PROBE_US_MAX         (2 * RT_US_PER_S)
/* A PostBatch of 10,000 transfers with the longest texts has 7 MB, and takes twice that unpacked.
 * One of them is carried out at a time, or as many smaller calls: docs/decisions/0018-memory.md. */
#define MESSAGE_BYTES_MAX    ((size_t)8 << 20)
#define CALL_ARENA_BYTES_MAX ((size_t)24 << 20)

static const struct rt_setting settings[] = {
#include "config.def"
};

static const struct rt_program program = {
	.name = "daler-accounts",
	.variable = "DALER_ACCOUNTS",
	.purpose = "Ledgers, accounts, and atomic groups of transfers between them.",
	.commands = "  migrate           bring the schema up to date, as its owner, and exit\n",
	.settings = settings,
	.setting_count = sizeof(settings) / sizeof(settings[0]),
};

#define METHOD RT_METHOD
static const struct rt_method methods[] = {
#include "methods.def"
};
#undef METHOD
#define METHOD RT_METHOD_CHECK
#include "methods.def"
#undef METHOD
RT_SERVICE_CHECK(Daler__Accounts__V1__AccountsService_Service,
		 DALER__ACCOUNTS__V1__ACCOUNTS_SERVICE__INIT, accounts_)

/* Everything that serving needs, in the order in which it is made. */
struct accounts {
	struct rt_secret db_password;
	struct rt_secret redis_password;
	struct accounts_service service;
	struct rt_pg *probe;          /* the admin port's own connections */
	struct rt_redis *redis_probe; /* NULL: no cache */
	struct rt_tls tls;
	struct rt_client *client;
	struct rt_channel *auth;
	struct rt_token_verifier *verifier;
	struct rt_admin *admin;
	_Atomic bool serving;
	struct expiry *expiry;
	struct rt_server *server;
};

static struct rt_pg_config connection(const char *conninfo, const struct rt_secret *password)
{
	return (struct rt_pg_config){
		.conninfo = conninfo, .password = password, .application = program.name};
}

static void readiness(void *context, struct rt_readiness *report)
{
	struct accounts *accounts = context;
	struct rt_status database = rt_pg_ping(accounts->probe, rt_clock_mono_us() + PROBE_US_MAX);
	rt_readiness_add(report, "database", rt_is_ok(&database), true, database.detail);
	rt_readiness_add(report, "server", accounts->serving, true,
			 "waits for the schema of its database");
	rt_readiness_add(report, "keys", rt_token_verifier_ready(accounts->verifier), false,
			 "no keys from auth: calls with a token are refused");
	rt_tls_report(&accounts->tls, report);
	if (accounts->redis_probe == NULL)
		return;
	struct rt_status redis = RT_REDIS(accounts->redis_probe, NULL, "PING");
	rt_readiness_add(report, "redis", rt_is_ok(&redis), false, redis.detail);
}

static void read_secrets(struct accounts *accounts, const struct accounts_config *config)
{
	rt_process_must("start", rt_secret_read_file(config->database.db_password_file,
						     &accounts->db_password));
	if (config->redis_password_file[0] != '\0')
		rt_process_must("start", rt_secret_read_file(config->redis_password_file,
							     &accounts->redis_password));
}

static void prepare_service(struct accounts *accounts, const struct accounts_config *config)
{
	struct accounts_service *service = &accounts->service;
	service->pg = connection(config->database.db, &accounts->db_password);
	accounts->probe = rt_pg_new(&service->pg);
	if (config->redis[0] == '\0')
		return;
	rt_process_must("start", rt_redis_check_url(config->redis));
	service->has_cache = true;
	service->cache = (struct cache_config){
		.redis = {.url = config->redis,
			  .password = config->redis_password_file[0] == '\0'
					      ? NULL
					      : &accounts->redis_password,
			  .tls_ca = config->common.tls_ca,
			  .tls_cert = config->common.tls_cert,
			  .tls_key = config->common.tls_key,
			  .timeout_ms = config->redis_timeout_ms},
		.ttl_ms = config->cache_ttl_ms,
	};
	accounts->redis_probe = rt_redis_new(&service->cache.redis);
}

/* Tokens are verified with auth's keys, fetched in the background: without them we serve who needs
 * no token. */
static void start_keys(struct accounts *accounts, const struct accounts_config *config)
{
	accounts->tls = rt_tls_from(&config->common);
	rt_process_must("start", rt_client_new(&accounts->tls, &accounts->client));
	rt_process_must("start", rt_channel_new(accounts->client, config->auth_addr, RT_ID_AUTH,
						&accounts->auth));
	accounts->verifier = rt_token_verifier_by_auth(config->token_issuer, accounts->auth);
}

static void start_posting(struct accounts *accounts, const struct accounts_config *config)
{
	const struct posting_config posting = {
		.pg = accounts->service.pg,
		.lanes = (size_t)config->lanes,
		.queue_max = (size_t)config->posting_queue_max,
		.transfers_max = (size_t)config->batch_max,
		.reads_percent = config->reads_percent,
	};
	accounts->service.posting = posting_new(&posting);
	accounts->service.reads = posting_reads(accounts->service.posting);
	const struct expiry_config expiry = {
		.pg = accounts->service.pg,
		.posting = accounts->service.posting,
		.interval_ms = config->expiry_interval_ms,
	};
	accounts->expiry = expiry_start(&expiry);
	accounts->service.background = background_new(&accounts->service.pg, VERIFICATIONS_MAX);
	if (accounts->service.has_cache)
		accounts->service.invalidator = invalidator_new(&accounts->service.cache);
}

static void start_server(struct accounts *accounts, const struct accounts_config *config)
{
	const struct rt_server_config server = {
		.common = &config->common,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.tokens = accounts->verifier,
		.service = &accounts->service,
		.worker_new = accounts_worker_new,
		.worker_destroy = accounts_worker_destroy,
		.bulk_pace = accounts->service.reads,
		.message_bytes_max = MESSAGE_BYTES_MAX,
		.bytes_in_flight_max = MESSAGE_BYTES_MAX,
		.call_arena_bytes_max = CALL_ARENA_BYTES_MAX,
	};
	rt_process_must("start", rt_server_start(&server, &accounts->server));
	RT_LOG(INFO, "serving", RT_TEXT("listen", config->common.listen),
	       RT_INT("port", rt_server_port(accounts->server)));
	rt_server_set_serving(accounts->server, true);
	accounts->serving = true;
}

/* The order of shutdown: no new calls, and an end for those in flight, for which the lanes still
 * run; then the lanes; then what both used. */
static void stop(struct accounts *accounts, int64_t deadline_us)
{
	rt_server_stop(accounts->server, deadline_us);
	background_stop(accounts->service.background);
	invalidator_stop(accounts->service.invalidator);
	expiry_stop(accounts->expiry);
	posting_stop(accounts->service.posting, deadline_us);
	rt_server_destroy(accounts->server);
	posting_destroy(accounts->service.posting);
	invalidator_destroy(accounts->service.invalidator);
	background_destroy(accounts->service.background);
}

static void stop_helpers(struct accounts *accounts)
{
	rt_admin_stop(accounts->admin);
	rt_token_verifier_destroy(accounts->verifier);
	rt_client_stop(accounts->client);
	rt_channel_destroy(accounts->auth);
	rt_client_destroy(accounts->client);
	rt_redis_destroy(accounts->redis_probe);
	rt_pg_destroy(accounts->probe);
	rt_secret_deinit(&accounts->redis_password);
	rt_secret_deinit(&accounts->db_password);
	RT_LOG(INFO, "stopped", RT_TEXT("service", "accounts"));
}

static int serve(const struct accounts_config *config)
{
	static struct accounts accounts;
	read_secrets(&accounts, config);
	prepare_service(&accounts, config);
	start_keys(&accounts, config);
	rt_process_must("start", rt_admin_start(config->common.admin_listen, readiness, &accounts,
						&accounts.admin));
	if (rt_schema_await(&accounts_schema, &accounts.service.pg)) {
		start_posting(&accounts, config);
		start_server(&accounts, config);
		rt_process_wait();
		rt_admin_drain(accounts.admin);
		stop(&accounts, rt_clock_mono_us() + config->common.drain_ms * RT_US_PER_MS);
	}
	stop_helpers(&accounts);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct accounts_config config = {0};
	struct rt_command command;
	rt_config_load(&program, argc, argv, &config, &command);
	rt_process_init();
	rt_log_init("accounts", config.common.log_level);
	if (strcmp(command.name, "migrate") == 0)
		return rt_schema_migrate(&accounts_schema, &config.database);
	if (command.name[0] == '\0')
		return serve(&config);
	return rt_config_no_command(&program, &command);
}
