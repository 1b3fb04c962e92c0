#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "help.h"
#include "link.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "show.h"

#define ARENA_BYTES_MAX ((size_t)256 << 20)
#define TIMEOUT_S_MAX   3600

static struct rt_status deadline_set(struct ctl *ctl)
{
	char *text = ctl->settings[SETTING_TIMEOUT];
	char *end = NULL;
	long seconds = strtol(text, &end, 10);
	if (end == text || *end != '\0' || seconds < 1 || seconds > TIMEOUT_S_MAX)
		return CTL_USAGE_ERROR("--timeout must be 1 to %d seconds, not '%.40s'",
				       TIMEOUT_S_MAX, text);
	ctl->deadline_mono_us = rt_clock_mono_us() + seconds * RT_US_PER_S;
	return rt_ok();
}

static struct rt_status run(struct ctl *ctl, int argc, char **argv)
{
	RT_TRY(args_parse(ctl, argc, argv));
	if (ctl->settings[SETTING_HELP] != NULL || (ctl->group == NULL && argc == 1)) {
		help_print(ctl, stdout);
		return rt_ok();
	}
	RT_TRY(args_complete(ctl));
	RT_TRY(deadline_set(ctl));
	rt_log_init("dalerctl", ctl->settings[SETTING_VERBOSE] != NULL ? "debug" : "error");
	return ctl->command->run(ctl);
}

int main(int argc, char **argv)
{
	static struct ctl ctl;
	signal(SIGPIPE, SIG_IGN);
	setenv("GRPC_VERBOSITY", "NONE", 0); /* errors are told once, by us */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("dalerctl " DALER_VERSION);
		return CTL_DONE;
	}
	rt_arena_init(&ctl.arena, ARENA_BYTES_MAX);
	struct rt_status status = run(&ctl, argc, argv);
	enum ctl_exit exit = rt_is_ok(&status) ? ctl.exit : show_error(&ctl, &status);
	if (fflush(stdout) != 0) {
		fputs("dalerctl: the output could not be written\n", stderr);
		exit = exit == CTL_DONE ? CTL_UNCERTAIN : exit;
	}
	link_close(&ctl);
	rt_arena_deinit(&ctl.arena);
	return (int)exit;
}
