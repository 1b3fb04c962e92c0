/* Settings: one table a program feeds the parser, --help, --print-config and the reference page.
 * For main.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rt/status.h"

enum rt_setting_kind {
	RT_SETTING_INT,    /* int64_t member; min..max in `unit` */
	RT_SETTING_TEXT,   /* const char * member; min..max characters */
	RT_SETTING_CHOICE, /* const char * member; one of `choices`, separated by | */
	RT_SETTING_PATH,   /* const char * member; a file; min 1: required */
	RT_SETTING_SECRET, /* const char * member: the path of a file with a secret; the path is
			      shown, the content never */
	/* const char * members. A password in them is refused, because those come from files;
	   --print-config hides where one could be all the same. */
	RT_SETTING_URL,
	RT_SETTING_CONNINFO, /* for libpq; min..max characters */
};

struct rt_setting {
	const char *name; /* snake_case: flag --with-dashes, environment DALER_<PROGRAM>_<UPPER> */
	enum rt_setting_kind kind;
	size_t offset;
	const char *fallback; /* NULL: required when serving */
	int64_t min, max;
	const char *choices;
	const char *unit;
	const char *prose;
};

/* A program's table, with the subcommands it takes. */
struct rt_program {
	const char *name;     /* "daler-accounts" */
	const char *variable; /* "DALER_ACCOUNTS" */
	const char *purpose;  /* a sentence */
	const char *commands; /* lines for --help */
	const struct rt_setting *settings;
	size_t setting_count;
};

/* What the command line asks for. */
struct rt_command {
	const char *name; /* "" is serve; else the first word */
	char **operands;  /* what follows it and is not a flag */
	int operand_count;
};

/* What a command line asks for instead of work. */
enum rt_config_request {
	RT_CONFIG_RUN,
	RT_CONFIG_HELP,
	RT_CONFIG_VERSION,
	RT_CONFIG_PRINT,
	RT_CONFIG_REFERENCE,
};

/* The core of rt_config_load, which writes nothing and does not exit: reads flags over
 * `environment` over defaults. A required setting that is absent is an error when the command is
 * serve and nothing else is asked for. Errors: INVALID_ARGUMENT naming the setting (or the flag,
 * when there is no such setting): UNKNOWN_FLAG, MISSING_VALUE, MALFORMED_VALUE, OUT_OF_RANGE,
 * HOLDS_PASSWORD, REQUIRED. Secrets and URLs are not in the detail. */
struct rt_status rt_config_parse(const struct rt_program *program, int argc, char **argv,
				 char *const *environment, void *config, struct rt_command *command,
				 enum rt_config_request *request);
void rt_config_help(const struct rt_program *program, FILE *out);
/* NAME=value lines; what could be a password is shown as ***. Variables of the program's prefix
 * that are no setting are named in a comment. */
void rt_config_print(const struct rt_program *program, const void *config, char *const *environment,
		     FILE *out);
/* The settings as a Markdown table. */
void rt_config_reference(const struct rt_program *program, FILE *out);

/* Reads flags over environment over defaults into `config`. Answers --help, --version,
 * --print-config and
 * --print-reference (the settings as a Markdown table) itself and exits 0; a wrong setting is named
 * on stderr with what is allowed, exit 2. Owns: text members point into argv, the environment or
 * static storage. */
void rt_config_load(const struct rt_program *program, int argc, char **argv, void *config,
		    struct rt_command *command);
/* Exits 2, naming the setting, when a required one is absent. For settings that only some commands
 * need. */
void rt_config_require(const struct rt_program *program, const char *setting, const char *value);
/* Says on stderr that there is no such command, and returns the status to exit with, 2. */
int rt_config_no_command(const struct rt_program *program, const struct rt_command *command);

/* The settings that every service has: in the service's config struct as a member `common`. */
struct rt_common_config {
	const char *listen;
	const char *admin_listen;
	const char *tls_cert;
	const char *tls_key;
	const char *tls_ca;
	const char *trust_domain;
	const char *log_level;
	int64_t workers;
	int64_t queue_max;
	int64_t streams_per_caller_max;
	int64_t drain_ms;
	int64_t tls_reload_ms;
};

/* Those of a service with a database: a member `database`. */
struct rt_database_config {
	const char *db;
	const char *db_password_file;
	const char *db_runtime_role;
	const char *db_owner;
	const char *db_owner_password_file;
};

/* Rows of the two structs for a service's table: RT_COMMON_SETTINGS(struct accounts_config),
 * RT_DATABASE_SETTINGS(struct accounts_config, "accounts_service"). */
#include "rt/settings.def"
