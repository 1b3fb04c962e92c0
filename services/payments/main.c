/* payments: business operations that cross systems, each carried out once by a saga that survives
 * crashes. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/account_inquiry.h"
#include "config.h"
#include "daler/connector/v1/connector.pb-c.h"
#include "daler/payments/v1/limits.pb-c.h"
#include "daler/payments/v1/operations.pb-c.h"
#include "daler/payments/v1/payments.pb-c.h"
#include "engine/executor.h"
#include "engine/feed.h"
#include "engine/recovery.h"
#include "engine/waking.h"
#include "payments_schema.h"
#include "rpc/service.h"
#include "rt/admin_http.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/process.h"
#include "rt/rpc_client.h"
#include "rt/rpc_server.h"
#include "rt/token.h"

#define PROBE_US_MAX     (2 * RT_US_PER_S)
#define PEERS_US_MAX     RT_US_PER_S
#define STOP_US_MAX      (5 * RT_US_PER_S)
#define ANSWER_MARGIN_US (500 * RT_US_PER_MS)
#define CALL_ARENA_BYTES (4U << 20)

/* The statements of the lanes and of recovery join a batch's arrays with tables by their keys.
 * Planned while a table is still empty, and kept for the connection's life, they must not be plans
 * that read the whole table. */
#define BATCH_SESSION    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"

static const struct rt_setting settings[] = {
#include "config.def"
};

static const struct rt_program program = {
	.name = "daler-payments",
	.variable = "DALER_PAYMENTS",
	.purpose = "Business operations that cross systems, each carried out once.",
	.commands = "  migrate           bring the schema up to date, as its owner, and exit\n"
		    "  print-states      print the states of a payment as a page of the docs\n",
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
RT_SERVICE_CHECK(Daler__Payments__V1__PaymentsService_Service,
		 DALER__PAYMENTS__V1__PAYMENTS_SERVICE__INIT, payments_)
RT_SERVICE_CHECK(Daler__Payments__V1__OperationsService_Service,
		 DALER__PAYMENTS__V1__OPERATIONS_SERVICE__INIT, payments_)
RT_SERVICE_CHECK(Daler__Payments__V1__LimitsService_Service,
		 DALER__PAYMENTS__V1__LIMITS_SERVICE__INIT, payments_)
RT_SERVICE_CHECK(Daler__Connector__V1__NotificationService_Service,
		 DALER__CONNECTOR__V1__NOTIFICATION_SERVICE__INIT, payments_)

/* Everything that serving needs, in the order in which it is made. */
struct payments {
	const struct payments_config *config;
	struct rt_secret db_password;
	struct rt_tls tls;
	char host[HOST_NAME_MAX + 256];
	struct rt_client *client;
	struct rt_channel *auth;
	struct rt_channel *accounts;
	struct rt_channel *connector;
	struct rt_token_verifier *verifier;
	struct payments_service service;
	struct recovery *recovery;
	struct waking *waking;
	struct rt_pg *probe; /* the admin port's own connection */
	struct rt_admin *admin;
	_Atomic bool serving;
	struct rt_server *server;
};

static struct rt_pg_config connection(const char *conninfo, const struct rt_secret *password)
{
	return (struct rt_pg_config){
		.conninfo = conninfo, .password = password, .application = program.name};
}

/* Names the required one that is not there; the others are reported only: sagas wait for them. */
static void check_readiness(void *context, struct rt_readiness *report)
{
	struct payments *payments = context;
	struct rt_status database = rt_pg_ping(payments->probe, rt_clock_mono_us() + PROBE_US_MAX);
	bool keys = rt_token_verifier_ready(payments->verifier);
	struct rt_channel *const channels[] = {payments->accounts, payments->connector};
	struct rt_status others[2];

	rt_channels_check(channels, 2, rt_clock_mono_us() + PEERS_US_MAX, others);
	rt_readiness_add(report, "database", rt_is_ok(&database), true, database.detail);
	rt_readiness_add(report, "server", payments->serving, true,
			 "waits for the schema of its database");
	rt_readiness_add(report, "keys", keys, false, keys ? "" : "no key set from auth yet");
	rt_readiness_add(report, "accounts", rt_is_ok(&others[0]), false, others[0].detail);
	rt_readiness_add(report, payments->config->connector_name, rt_is_ok(&others[1]), false,
			 others[1].detail);
	rt_tls_report(&payments->tls, report);
}

static void open_channels(struct payments *payments)
{
	const struct payments_config *config = payments->config;

	payments->tls = rt_tls_from(&config->common);
	rt_process_must("start", rt_client_new(&payments->tls, &payments->client));
	rt_process_must("start", rt_channel_new(payments->client, config->auth_addr, RT_ID_AUTH,
						&payments->auth));
	rt_process_must("start", rt_channel_new(payments->client, config->accounts_addr,
						RT_ID_ACCOUNTS, &payments->accounts));
	rt_process_must("start", rt_channel_new(payments->client, config->connector_addr,
						RT_ID_CONNECTOR, &payments->connector));
	rt_channel_set_retries(payments->accounts, config->retry_percent, config->retry_per_s);
	rt_channel_set_retries(payments->connector, config->retry_percent, config->retry_per_s);
	payments->verifier = rt_token_verifier_by_auth(config->token_issuer, payments->auth);
}

static struct executor *make_executor(const struct payments *payments,
				      const struct rt_pg_config *pg)
{
	const struct payments_config *config = payments->config;
	struct executor_config executor = {
		.pg = *pg,
		.accounts = payments->service.accounts,
		.connectors = {{.name = config->connector_name,
				.channel = payments->connector,
				.timeout_ms = config->connector_timeout_ms}},
		.connector_count = 1,
		.lanes = (size_t)config->lanes,
		.queue_max = (size_t)(config->sagas_max + config->common.queue_max),
		.sagas_max = (size_t)config->sagas_max,
		.account_open_max = (uint32_t)config->account_open_max,
		.posts_in_flight_max = (size_t)config->posts_in_flight_max,
		.provider_in_flight_max = (size_t)config->connector_in_flight_max,
		.retry_ms_min = config->retry_ms_min,
		.retry_ms_max = config->retry_ms_max,
		.capabilities_ms = config->capabilities_ms,
	};

	return executor_new(&executor);
}

static void prepare_service(struct payments *payments)
{
	const struct payments_config *config = payments->config;
	struct payments_service *service = &payments->service;

	rt_process_must("start", rt_signature_keys_read(config->notification_key_file,
							config->notification_other_key_file,
							&service->notification_keys));
	rt_process_must("start", rt_secret_read_file(config->database.db_password_file,
						     &payments->db_password));
	service->pg = connection(config->database.db, &payments->db_password);
	struct account_memory *memory = account_memory_new();

	service->accounts = (struct accounts_client){
		.channel = payments->accounts,
		.timeout_ms = config->accounts_timeout_ms,
		.memory = memory,
		.inquiries = account_inquiries_new(payments->accounts, memory),
	};
	payments->probe = rt_pg_new(&service->pg);
}

/* The admin port of this machine, which this process has: no other one lives that had it before.
 * Nothing where the system chooses a port. */
static void name_host(struct payments *payments)
{
	const char *listen = payments->config->common.admin_listen;
	const char *port = strrchr(listen, ':');
	char name[HOST_NAME_MAX + 1] = "";

	if (port == NULL || strcmp(port, ":0") == 0 || gethostname(name, sizeof(name) - 1) != 0)
		return;
	snprintf(payments->host, sizeof(payments->host), "%s %s", name, listen);
}

/* The engine: from here on sagas run. */
static void start_engine(struct payments *payments)
{
	const struct payments_config *config = payments->config;
	struct payments_service *service = &payments->service;

	struct rt_pg_config batch = service->pg;

	batch.session = BATCH_SESSION;
	service->executor = make_executor(payments, &batch);
	name_host(payments);
	const struct recovery_config recovery = {
		.pg = batch,
		.executor = service->executor,
		.host = payments->host,
		.lease_ms = config->lease_ms,
		.interval_ms = config->recovery_ms,
		.review_ms = config->review_ms,
	};

	rt_process_must("start", recovery_start(&recovery, &payments->recovery));
	const struct waking_config waking = {
		.pg = batch, .executor = service->executor, .interval_ms = config->wake_ms};

	payments->waking = waking_start(&waking);
	const struct feed_config feed = {.pg = batch,
					 .watchers_max = (size_t)config->watchers_max,
					 .poll_ms_min = config->watch_ms_min,
					 .poll_ms_max = config->watch_ms_max};

	service->feed = feed_new(&feed);
}

static void start_server(struct payments *payments)
{
	const struct rt_server_config server = {
		.common = &payments->config->common,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.tokens = payments->verifier,
		.service = &payments->service,
		.worker_new = payments_worker_new,
		.worker_destroy = payments_worker_destroy,
		.call_arena_bytes_max = CALL_ARENA_BYTES,
	};

	rt_process_must("start", rt_server_start(&server, &payments->server));
	RT_LOG(INFO, "serving", RT_TEXT("listen", payments->config->common.listen),
	       RT_TEXT("admin_listen", payments->config->common.admin_listen));
	rt_server_set_serving(payments->server, true);
	payments->serving = true;
}

/* The order of shutdown: callers first, who are told what is known; then sagas take no more steps;
 * then calls to others end; then what is to be written is written; last the lease, so that another
 * replica goes on at once. */
static void stop_engine(struct payments *payments)
{
	int64_t deadline_us = rt_clock_mono_us() + payments->config->common.drain_ms * RT_US_PER_MS;

	executor_hurry(payments->service.executor, deadline_us - ANSWER_MARGIN_US);
	rt_server_stop(payments->server, deadline_us);
	feed_stop(payments->service.feed);
	recovery_stop(payments->recovery);
	waking_stop(payments->waking);
	executor_quiesce(payments->service.executor);
	rt_client_stop(payments->client);
	executor_stop(payments->service.executor, rt_clock_mono_us() + STOP_US_MAX);
	recovery_release(payments->recovery, rt_clock_mono_us() + STOP_US_MAX);
	rt_server_destroy(payments->server);
	feed_destroy(payments->service.feed);
	executor_destroy(payments->service.executor);
}

static void stop_helpers(struct payments *payments)
{
	rt_admin_stop(payments->admin);
	rt_token_verifier_destroy(payments->verifier);
	rt_client_stop(payments->client);
	account_inquiries_destroy(payments->service.accounts.inquiries);
	account_memory_destroy(payments->service.accounts.memory);
	rt_channel_destroy(payments->connector);
	rt_channel_destroy(payments->accounts);
	rt_channel_destroy(payments->auth);
	rt_client_destroy(payments->client);
	rt_pg_destroy(payments->probe);
	rt_secret_deinit(&payments->db_password);
	rt_signature_keys_deinit(&payments->service.notification_keys);
}

static int serve(const struct payments_config *config)
{
	static struct payments payments;

	payments.config = config;
	open_channels(&payments);
	prepare_service(&payments);
	rt_process_must("start", rt_admin_start(config->common.admin_listen, check_readiness,
						&payments, &payments.admin));
	if (rt_schema_await(&payments_schema, &payments.service.pg)) {
		start_engine(&payments);
		start_server(&payments);
		rt_process_wait();
		rt_admin_drain(payments.admin);
		RT_LOG(INFO, "stopping",
		       RT_INT("open", (int64_t)executor_open(payments.service.executor)));
		stop_engine(&payments);
	}
	stop_helpers(&payments);
	RT_LOG(INFO, "stopped");
	return EXIT_SUCCESS;
}

static int print_states(void)
{
	payment_states_print(stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct payments_config config;
	struct rt_command command;

	rt_config_load(&program, argc, argv, &config, &command);
	if (strcmp(command.name, "print-states") == 0)
		return print_states();
	rt_process_init();
	rt_log_init("payments", config.common.log_level);
	if (strcmp(command.name, "migrate") == 0)
		return rt_schema_migrate(&payments_schema, &config.database);
	if (strcmp(command.name, "") == 0)
		return serve(&config);
	return rt_config_no_command(&program, &command);
}
