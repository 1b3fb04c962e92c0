/* The command line: flags over environment over defaults. For this tool's files. */
#pragma once

#include "command.h"
#include "rt/id.h"
#include "rt/money.h"

/* A flag that every command has, with its environment variable and default. */
struct setting {
	struct flag flag;
	const char *variable; /* NULL: none */
	const char *fallback;
};

enum setting_index {
	SETTING_HELP,
	SETTING_JSON,
	SETTING_TIMEOUT,
	SETTING_AUTH_ADDR,
	SETTING_ACCOUNTS_ADDR,
	SETTING_PAYMENTS_ADDR,
	SETTING_CONNECTOR_ADDR,
	SETTING_CA,
	SETTING_CERT,
	SETTING_CERT_KEY,
	SETTING_TRUST_DOMAIN,
	SETTING_TOKEN_FILE,
	SETTING_VERBOSE,
	SETTING_COUNT
};
_Static_assert(SETTING_COUNT <= CTL_FLAGS_MAX, "a setting has no place in struct ctl");

extern const struct setting ctl_settings[SETTING_COUNT];
extern const struct command_group *const ctl_groups[];
extern const size_t ctl_group_count;

/* Fills group, command, operand, values and settings. Stops early, with what was found, when --help
 * is among them. Owns: the texts point into argv and the environment. Errors: INVALID_ARGUMENT
 * USAGE. */
struct rt_status args_parse(struct ctl *ctl, int argc, char **argv);
/* The rest of the parsing, for a command that will run: what is required is there. Errors:
 * INVALID_ARGUMENT USAGE. */
struct rt_status args_complete(struct ctl *ctl);

#define CTL_USAGE_ERROR(...) RT_FAIL(INVALID_ARGUMENT, "USAGE", __VA_ARGS__)

/* The value of one of the command's flags; NULL when it was not given. */
char *flag_text(const struct ctl *ctl, const char *name);
/* The same, with a default. */
char *flag_text_or(const struct ctl *ctl, const char *name, char *fallback);
bool flag_given(const struct ctl *ctl, const char *name);
/* A UUID that the flag must hold. */
struct rt_status flag_id(const struct ctl *ctl, const char *name, char **id);
/* The same, or a new one. *made says which; may be NULL. */
struct rt_status flag_id_or_new(struct ctl *ctl, const char *name, char **id, bool *made);
struct rt_status flag_int(const struct ctl *ctl, const char *name, int64_t fallback,
			  int64_t *value);
struct rt_status flag_currency(const struct ctl *ctl, const char *name,
			       const struct rt_currency **currency);
/* An amount of a currency by its code: decimal when ISO 4217 knows it, else a whole number in the
 * asset's own smallest unit. Units: minor. */
struct rt_status flag_minor(const struct ctl *ctl, const char *name, const char *code,
			    int64_t *amount_minor);
/* A moment in UTC, such as 2026-11-22, 2026-11-22T17:00:00Z or 2026-11-22T17:00:00.123456Z. Units:
 * microseconds since 1970. */
struct rt_status flag_moment(const struct ctl *ctl, const char *name, int64_t *wall_us);
/* Units: the flag is decimal, in the currency's exponent; the result is in minor units. */
struct rt_status flag_amount(const struct ctl *ctl, const char *name,
			     const struct rt_currency *currency, int64_t *amount_minor);
