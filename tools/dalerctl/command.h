/* What a command of dalerctl is: a row of a table, its flags, and the run of it. For this tool's
 * files. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/status.h"

/* How the process ends. */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_REFUSED = 1, /* the service said no, or the outcome is a decline */
	CTL_USAGE = 2,
	CTL_UNCERTAIN = 3, /* not reached, or not known whether it happened */
};

struct ctl;
struct link;

enum flag_need { FLAG_OPTIONAL, FLAG_REQUIRED };

/* `--name VALUE`, or a switch. */
struct flag {
	const char *name;
	const char *alias; /* another name for it, or NULL */
	const char *value; /* what stands for the value in the help; NULL: a switch */
	enum flag_need need;
	const char *prose;
};

#define CTL_FLAGS_MAX 20

/* One command: `dalerctl GROUP VERB [OPERAND] --flags`. */
struct command {
	const char *verb;    /* NULL: the group itself is the command */
	const char *operand; /* the words that may follow, separated by |; NULL: none */
	const char *purpose;
	const char *notes; /* more lines for its help, or NULL */
	const struct flag *flags;
	size_t flag_count;
	struct rt_status (*run)(struct ctl *ctl);
};

struct command_group {
	const char *name;
	const char *purpose;
	const struct command *commands;
	size_t command_count;
};

extern const struct command_group ctl_login_group;
extern const struct command_group ctl_user_group;
extern const struct command_group ctl_keys_group;
extern const struct command_group ctl_ledger_group;
extern const struct command_group ctl_account_group;
extern const struct command_group ctl_asset_group;
extern const struct command_group ctl_transfer_group;
extern const struct command_group ctl_payment_group;
extern const struct command_group ctl_connector_group;
extern const struct command_group ctl_limit_group;
extern const struct command_group ctl_exclusion_group;
extern const struct command_group ctl_id_group;

/* Commands of the account group that have a file of their own. */
struct rt_status account_update_run(struct ctl *ctl);
struct rt_status account_close_run(struct ctl *ctl);
struct rt_status account_statement_run(struct ctl *ctl);
struct rt_status account_balance_run(struct ctl *ctl);
struct rt_status ledger_verify_run(struct ctl *ctl);

#define CTL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a run of the program knows. */
struct ctl {
	const struct command_group *group;
	const struct command *command;
	char *operand;                 /* one of the command's, or NULL */
	char *values[CTL_FLAGS_MAX];   /* in the order of command->flags; NULL: not given */
	char *settings[CTL_FLAGS_MAX]; /* in the order of ctl_settings */
	int64_t deadline_mono_us;
	struct rt_arena arena; /* for everything that a command makes */
	struct link *link;
	enum ctl_exit exit; /* for a command that worked, with an outcome that is not a success */
};
