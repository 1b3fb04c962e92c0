/* daler-history: posts to two replicas until it is told to stop, then repeats everything. What it
 * is told comes as lines on standard input: "stop" (it answers "stopped" when the log is written)
 * and "verify" (it answers with a line of counts). Exits 1 when an answer contradicted another. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/config.h"
#include "rt/log.h"
#include "rt/process.h"

struct history_config {
	const char *world, *log, *first_addr, *second_addr, *cert_dir;
	int64_t seed, clients, pause_ms;
};

static const struct rt_setting settings[] = {
	RT_TEXT_SETTING(struct history_config, world, "world", NULL, 1, 4096,
			"file of ledgers and accounts"),
	RT_TEXT_SETTING(struct history_config, log, "log", NULL, 1, 4096,
			"file to write what was answered to"),
	RT_TEXT_SETTING(struct history_config, first_addr, "first_addr", NULL, 3, 255,
			"host:port of a replica"),
	RT_TEXT_SETTING(struct history_config, second_addr, "second_addr", NULL, 3, 255,
			"host:port of another"),
	RT_TEXT_SETTING(struct history_config, cert_dir, "cert_dir", NULL, 1, 4096,
			"folder of certificates"),
	RT_INT_SETTING(struct history_config, seed, "seed", "1", 0, INT64_MAX, "",
		       "of all that is random"),
	RT_INT_SETTING(struct history_config, clients, "clients", "64", 1, 1024, "clients",
		       "calls in flight"),
	RT_INT_SETTING(struct history_config, pause_ms, "pause_ms", "100", 0, 10000, "ms",
		       "the longest rest of a client between two calls"),
};

static const struct rt_program program = {
	.name = "daler-history",
	.variable = "DALER_HISTORY",
	.purpose = "Posts to two replicas of accounts at once, and compares every answer with "
		   "those before.",
	.commands = "(none)   until \"stop\" on standard input\n",
	.settings = settings,
	.setting_count = sizeof(settings) / sizeof(settings[0]),
};

static struct world world;
static struct record record;
static _Atomic bool stopping;

static void check(struct rt_status status, const char *what)
{
	if (!rt_is_ok(&status))
		rt_process_fail(what, status);
}

static void *run_storm(void *context)
{
	storm_run(context, &stopping);
	return NULL;
}

static void print_counts(void)
{
	size_t by_answer[ANSWERS] = {0};
	for (size_t i = 0; i < record.count; i++)
		by_answer[record.entries[i].answer]++;
	(void)printf(
		"{\"groups\":%zu,\"posted\":%zu,\"declined\":%zu,\"refused\":%zu,\"unknown\":%zu,"
		"\"calls\":%" PRIu64 ",\"unanswered\":%" PRIu64 ",\"answers\":%" PRIu64
		",\"repeated\":%" PRIu64 ",\"mismatches\":%" PRIu64 ",\"wrong\":%" PRIu64 "}\n",
		record.count, by_answer[ANSWER_POSTED], by_answer[ANSWER_DECLINED],
		by_answer[ANSWER_REFUSED], by_answer[ANSWER_NONE], record.calls, record.unanswered,
		record.answers, record.repeated, record.mismatches, record.wrong);
	(void)fflush(stdout);
}

static void await_line(const char *wanted)
{
	char line[32];
	while (fgets(line, sizeof(line), stdin) != NULL)
		if (strncmp(line, wanted, strlen(wanted)) == 0)
			return;
	exit(3); /* whoever started us has gone */
}

static void carry_out(const struct storm_config *storm, const char *log)
{
	pthread_t thread;
	RT_ASSERT(pthread_create(&thread, NULL, run_storm, (void *)(uintptr_t)storm) == 0);
	await_line("stop");
	stopping = true;
	(void)pthread_join(thread, NULL);
	if (!record_write(&record, &world, log))
		exit(3);
	(void)printf("stopped\n");
	(void)fflush(stdout);
	await_line("verify");
	bool complete = verify_run(storm);
	print_counts();
	record.wrong += complete ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct history_config config = {0};
	struct rt_command command;
	rt_config_load(&program, argc, argv, &config, &command);
	rt_process_init();
	rt_log_init("history", "error");
	world.random_state = (uint64_t)config.seed;
	if (!world_read(&world, config.world)) {
		(void)fprintf(stderr, "daler-history: %s can't be read\n", config.world);
		return 2;
	}
	char paths[3][4200];
	static const char *const names[3] = {"tls.crt", "tls.key", "ca.crt"};
	for (int i = 0; i < 3; i++)
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/payments/%s", config.cert_dir,
			       names[i]);
	struct rt_tls tls = {.cert = paths[0],
			     .key = paths[1],
			     .ca = paths[2],
			     .trust_domain = "daler.local",
			     .reload_ms = 60000};
	struct storm_config storm = {.world = &world,
				     .record = &record,
				     .clients = (size_t)config.clients,
				     .pause_us_max = config.pause_ms * RT_US_PER_MS};
	struct rt_client *client = NULL;
	record_init(&record, &world);
	check(rt_client_new(&tls, &client), "client");
	check(rt_channel_new(client, config.first_addr, RT_ID_ACCOUNTS, &storm.channels[0]),
	      "channel");
	check(rt_channel_new(client, config.second_addr, RT_ID_ACCOUNTS, &storm.channels[1]),
	      "channel");
	carry_out(&storm, config.log);
	bool good = record.wrong == 0;
	rt_client_stop(client);
	rt_channel_destroy(storm.channels[0]);
	rt_channel_destroy(storm.channels[1]);
	rt_client_destroy(client);
	record_deinit(&record);
	return good ? 0 : 1;
}
