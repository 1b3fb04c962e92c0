/* auth: users, passwords, tokens and the keys that verify them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth_schema.h"
#include "config.h"
#include "daler/auth/v1/auth.pb-c.h"
#include "domain/password.h"
#include "domain/username.h"
#include "engine/users.h"
#include "rpc/handlers.h"
#include "rt/admin_http.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/process.h"
#include "rt/rpc_server.h"
#include "rt/token.h"

#define SETUP_US_MAX        (60 * RT_US_PER_S)
#define PROBE_US_MAX        (2 * RT_US_PER_S)
#define COMMAND_ARENA_BYTES ((size_t)64 << 10)

static const struct rt_setting settings[] = {
#include "config.def"
};

static const struct rt_program program = {
	.name = "daler-auth",
	.variable = "DALER_AUTH",
	.purpose = "Users, passwords, tokens, and the keys that verify them.",
	.commands = "  migrate           bring the schema up to date, as its owner, and exit\n"
		    "  create-operator   create the operator --username with the password in\n"
		    "                    --user-password-file; harmless to repeat\n",
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
RT_SERVICE_CHECK(Daler__Auth__V1__AuthService_Service, DALER__AUTH__V1__AUTH_SERVICE__INIT, auth_)

/* Everything that serving needs, in the order in which it is made. */
struct auth {
	struct auth_engine engine;
	struct rt_secret db_password;
	struct rt_token_verifier *verifier;
	struct rt_tls tls;
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

static struct rt_status engine_init(struct auth_engine *engine, const struct auth_config *config)
{
	const struct hash_cost cost = {
		.memory_kib = (uint32_t)config->argon2_memory_kib,
		.passes = (uint32_t)config->argon2_passes,
		.lanes = (uint32_t)config->argon2_lanes,
	};
	engine->token_issuer = config->token_issuer;
	engine->token_ttl_us = config->token_ttl_s * RT_US_PER_S;
	engine->throttle = (struct throttle_rule){
		.burst = config->login_burst,
		.refill_us = config->login_refill_s * RT_US_PER_S,
	};
	return auth_engine_init(engine, &cost);
}

static struct rt_status check_operator(const struct auth_config *config,
				       const struct rt_secret *password)
{
	RT_TRY(username_check("username", config->username));
	return password_check("user_password_file", rt_secret_bytes(password), password->length);
}

static void create(const struct auth_engine *engine, const struct request *request,
		   const struct auth_config *config, const struct rt_secret *password)
{
	const struct new_user wanted = {
		.id = rt_uuid_v7(),
		.username = config->username,
		.password = rt_secret_bytes(password),
		.password_length = password->length,
		.role = RT_ROLE_OPERATOR,
	};
	bool replayed = false;

	rt_process_must("create-operator",
			rt_migrate_check(request->pg, auth_schema.migrations, auth_schema.count));
	rt_process_must("create-operator",
			users_create_operator(engine, request, &wanted, &replayed));
	RT_LOG(INFO, "operator_created", RT_BOOL("existed", replayed));
}

static int create_operator(const struct auth_config *config)
{
	static struct auth_engine engine;
	struct rt_secret db_password, password;
	const struct rt_caller console = {.identity = RT_ID_OPERATOR, .role = RT_ROLE_NONE};
	struct rt_arena arena;

	rt_config_require(&program, "username", config->username);
	rt_config_require(&program, "user_password_file", config->user_password_file);
	rt_process_must("create-operator",
			rt_secret_read_file(config->user_password_file, &password));
	rt_process_must("create-operator", check_operator(config, &password));
	rt_process_must("create-operator",
			rt_secret_read_file(config->database.db_password_file, &db_password));
	rt_process_must("create-operator", engine_init(&engine, config));
	engine.pg = connection(config->database.db, &db_password);
	rt_arena_init(&arena, COMMAND_ARENA_BYTES);
	const struct request request = {
		.caller = &console,
		.actor = "console",
		.pg = rt_pg_new(&engine.pg),
		.arena = &arena,
		.deadline_mono_us = rt_clock_mono_us() + SETUP_US_MAX,
	};
	create(&engine, &request, config, &password);
	rt_pg_destroy(request.pg);
	rt_arena_deinit(&arena);
	rt_secret_deinit(&password);
	rt_secret_deinit(&db_password);
	return EXIT_SUCCESS;
}

/* The verifier of our own tokens asks again and again: that is when the file is looked at. */
static struct rt_status own_keys(void *context, struct rt_arena *arena, const char **jwks_json)
{
	const struct auth_engine *engine = context;

	signing_reload(engine->signing);
	*jwks_json = signing_jwks(engine->signing, arena);
	return *jwks_json != NULL ? rt_ok() : RT_FAIL(INTERNAL, "NO_MEMORY", "the keys do not fit");
}

static void *worker_new(void *service)
{
	const struct auth_engine *engine = service;
	return rt_pg_new(&engine->pg);
}

static void worker_destroy(void *worker)
{
	rt_pg_destroy(worker);
}

static void readiness(void *context, struct rt_readiness *report)
{
	struct auth *auth = context;
	struct rt_status status = rt_pg_ping(auth->probe, rt_clock_mono_us() + PROBE_US_MAX);

	rt_readiness_add(report, "database", rt_is_ok(&status), true, status.detail);
	rt_readiness_add(report, "server", auth->serving, true,
			 "waits for the schema of its database");
	rt_readiness_add(report, "keys", rt_token_verifier_ready(auth->verifier), true,
			 "no signing key");
	rt_tls_report(&auth->tls, report);
}

static void start_keys(struct auth *auth, const struct auth_config *config)
{
	const struct rt_token_config tokens = {
		.issuer = config->token_issuer,
		.audience = RT_TOKEN_AUDIENCE,
		.refresh_ms = config->signing_key_reload_ms,
		.fetch = own_keys,
		.context = &auth->engine,
	};

	rt_process_must("start", signing_new(config->signing_key_file, &auth->engine.signing));
	auth->verifier = rt_token_verifier_new(&tokens);
}

static void prepare_database(struct auth *auth, const struct auth_config *config)
{
	rt_process_must("start",
			rt_secret_read_file(config->database.db_password_file, &auth->db_password));
	auth->engine.pg = connection(config->database.db, &auth->db_password);
	auth->probe = rt_pg_new(&auth->engine.pg);
}

static void start_hash_pools(struct auth *auth, const struct auth_config *config)
{
	struct hash_pool_config pool = {
		.pg = auth->engine.pg,
		.threads = (size_t)config->hash_threads,
		.queue_max = (size_t)config->hash_queue_max,
		.job_us = auth->engine.hash_us,
	};
	rt_process_must("start", hash_pool_new(&pool, &auth->engine.hash_pool));
	pool.threads = 1;
	rt_process_must("start", hash_pool_new(&pool, &auth->engine.staff_hash_pool));
}

static void start_server(struct auth *auth, const struct auth_config *config)
{
	const struct rt_server_config server = {
		.common = &config->common,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.tokens = auth->verifier,
		.service = &auth->engine,
		.worker_new = worker_new,
		.worker_destroy = worker_destroy,
		.message_bytes_max = (size_t)64 << 10,
		.call_arena_bytes_max = (size_t)256 << 10,
	};
	rt_process_must("start", rt_server_start(&server, &auth->server));
	RT_LOG(INFO, "serving", RT_TEXT("listen", config->common.listen),
	       RT_INT("hash_us", auth->engine.hash_us));
	rt_server_set_serving(auth->server, true);
	auth->serving = true;
}

/* The order of shutdown: no new calls, those in flight finish, then what they stand on goes, last
 * what was made first. */
static void stop_serving(struct auth *auth, int64_t deadline_us)
{
	rt_server_stop(auth->server, deadline_us);
	hash_pool_destroy(auth->engine.hash_pool);
	hash_pool_destroy(auth->engine.staff_hash_pool);
	rt_server_destroy(auth->server);
}

static void stop_helpers(struct auth *auth)
{
	rt_admin_stop(auth->admin);
	rt_pg_destroy(auth->probe);
	rt_token_verifier_destroy(auth->verifier);
	signing_destroy(auth->engine.signing);
	rt_secret_deinit(&auth->db_password);
}

static int serve(const struct auth_config *config)
{
	static struct auth auth;

	rt_process_init();
	rt_process_must("start", engine_init(&auth.engine, config));
	auth.tls = rt_tls_from(&config->common);
	start_keys(&auth, config);
	prepare_database(&auth, config);
	rt_process_must("start",
			rt_admin_start(config->common.admin_listen, readiness, &auth, &auth.admin));
	if (rt_schema_await(&auth_schema, &auth.engine.pg)) {
		start_hash_pools(&auth, config);
		start_server(&auth, config);
		rt_process_wait();
		rt_admin_drain(auth.admin);
		stop_serving(&auth, rt_clock_mono_us() + config->common.drain_ms * RT_US_PER_MS);
	}
	stop_helpers(&auth);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct auth_config config;
	struct rt_command command;

	rt_config_load(&program, argc, argv, &config, &command);
	rt_log_init("auth", config.common.log_level);
	if (strcmp(command.name, "migrate") == 0)
		return rt_schema_migrate(&auth_schema, &config.database);
	if (strcmp(command.name, "create-operator") == 0)
		return create_operator(&config);
	if (command.name[0] == '\0')
		return serve(&config);
	return rt_config_no_command(&program, &command);
}
