/* The PSP simulator: a payment service provider to test against, that does what it is told, and
 * remembers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "daler/connector/v1/connector.pb-c.h"
#include "report.h"
#include "rpc/handlers.h"
#include "rt/admin_http.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/process.h"
#include "rt/rpc_server.h"
#include "rt/signature.h"

static const struct rt_setting settings[] = {
#include "config.def"
};

static const struct rt_program program = {
	.name = "daler-psp-simulator",
	.variable = "DALER_PSP_SIMULATOR",
	.purpose = "A payment service provider to test against, behind daler.connector.v1.",
	.commands = "  books              print what was charged and paid out, as JSON, from "
		    "--state-dir\n"
		    "  print-behaviours   print what it can be told to do, as a Markdown page\n",
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
RT_SERVICE_CHECK(Daler__Connector__V1__ConnectorService_Service,
		 DALER__CONNECTOR__V1__CONNECTOR_SERVICE__INIT, simulator_)

/* Everything that serving needs, in the order in which it is made. */
struct process {
	struct books *books;
	struct rt_client *client;
	struct payments_client payments;
	struct rt_signature_keys keys;
	struct simulator simulator;
	struct rt_server *server;
	struct rt_admin *admin;
};

static void readiness(void *context, struct rt_readiness *report)
{
	const struct process *process = context;

	rt_readiness_add(report, "books", teller_works(process->simulator.teller), true,
			 "the books can't be written");
}

static void start_client(struct process *process, const struct simulator_config *config)
{
	const struct rt_tls tls = rt_tls_from(&config->common);

	if (config->payments_addr[0] == '\0')
		return;
	rt_config_require(&program, "notification_key_file", config->notification_key_file);
	rt_process_must("start",
			rt_signature_keys_read(config->notification_key_file, "", &process->keys));
	process->payments.key = &process->keys.keys[0];
	rt_process_must("start", rt_client_new(&tls, &process->client));
	rt_process_must("start", rt_channel_new(process->client, config->payments_addr,
						RT_ID_PAYMENTS, &process->payments.channel));
}

static void start_teller(struct process *process, const struct simulator_config *config)
{
	const struct teller_config teller = {
		.books = process->books,
		.desk =
			{
				.fail_percent = config->fail_percent,
				.no_answer_percent = config->no_answer_percent,
				.notifies = process->payments.channel != NULL,
			},
		.payments = process->payments,
		.notify_attempts_max = config->notify_attempts_max,
		.queue_max = (size_t)config->common.queue_max,
	};
	rt_process_must("start", teller_new(&teller, &process->simulator.teller));
}

static void start_server(struct process *process, const struct simulator_config *config)
{
	const struct rt_server_config server = {
		.common = &config->common,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.service = &process->simulator,
		.message_bytes_max = (size_t)64 << 10,
		.call_arena_bytes_max = (size_t)8 << 20,
	};
	rt_process_must("start", rt_server_start(&server, &process->server));
	rt_process_must("start", rt_admin_start(config->common.admin_listen, readiness, process,
						&process->admin));
	rt_server_set_serving(process->server, true);
}

/* The order of shutdown: what is held back is answered, no new calls, then what they stand on goes.
 * The teller outlives the client, whose calls report to it. */
static void stop(struct process *process, const struct simulator_config *config)
{
	teller_release(process->simulator.teller);
	rt_server_stop(process->server,
		       rt_clock_mono_us() + config->common.drain_ms * RT_US_PER_MS);
	teller_stop(process->simulator.teller);
	rt_server_destroy(process->server);
	rt_admin_stop(process->admin);
	if (process->client != NULL) {
		rt_client_stop(process->client);
		rt_channel_destroy(process->payments.channel);
		rt_client_destroy(process->client);
	}
	teller_destroy(process->simulator.teller);
	rt_signature_keys_deinit(&process->keys);
	books_close(process->books);
}

static int serve(const struct simulator_config *config)
{
	static struct process process;

	rt_process_init();
	rt_process_must("start", behaviour_parse("default_behaviour", config->default_behaviour,
						 &process.simulator.default_behaviour));
	rt_process_must("start", capability_parse(config->operations, config->currencies,
						  strcmp(config->partial_refunds, "yes") == 0,
						  &process.simulator.capability));
	rt_process_must("start", books_open(config->state_dir, false, &process.books));
	start_client(&process, config);
	start_teller(&process, config);
	start_server(&process, config);
	RT_LOG(INFO, "serving", RT_TEXT("listen", config->common.listen));
	rt_process_wait();
	rt_admin_drain(process.admin);
	stop(&process, config);
	return EXIT_SUCCESS;
}

static int run(const struct rt_command *command, const struct simulator_config *config)
{
	if (strcmp(command->name, "books") == 0) {
		rt_config_require(&program, "state_dir", config->state_dir);
		return report_books(config->state_dir);
	}
	if (strcmp(command->name, "print-behaviours") == 0)
		return report_behaviours();
	if (command->name[0] == '\0')
		return serve(config);
	return rt_config_no_command(&program, command);
}

int main(int argc, char **argv)
{
	static struct simulator_config config;
	struct rt_command command;

	rt_config_load(&program, argc, argv, &config, &command);
	rt_log_init("psp-simulator", config.common.log_level);
	return run(&command, &config);
}
