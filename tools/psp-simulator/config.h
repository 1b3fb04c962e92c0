/* The settings of the PSP simulator; the table is config.def. For main.c. */
#pragma once

#include "rt/config.h"

struct simulator_config {
	struct rt_common_config common;
	const char *state_dir;
	const char *payments_addr;
	const char *notification_key_file;
	const char *default_behaviour;
	const char *operations;
	const char *currencies;
	const char *partial_refunds;
	int64_t fail_percent;
	int64_t no_answer_percent;
	int64_t notify_attempts_max;
};
