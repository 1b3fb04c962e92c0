#include "rt/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_text.h"
#include "rt/assert.h"
#include "rt/text.h"

/* Where a value came from, for messages. */
enum source { FROM_DEFAULT, FROM_ENVIRONMENT, FROM_FLAG };

static const char *source_name(enum source source)
{
	switch (source) {
	case FROM_DEFAULT:
		return "in the default";
	case FROM_ENVIRONMENT:
		return "in the environment";
	case FROM_FLAG:
		break;
	}
	return "on the command line";
}

/* Says what was given and what is allowed; the value only when it can't be a secret. */
static struct rt_status refuse(const struct rt_setting *setting, const char *reason,
			       enum source source, const char *value)
{
	char allowed[96];
	config_allowed(setting, allowed, sizeof(allowed));
	bool hidden = setting->kind == RT_SETTING_SECRET || setting->kind == RT_SETTING_URL ||
		      setting->kind == RT_SETTING_CONNINFO || strstr(value, "://") != NULL ||
		      strcasestr(value, "password") != NULL;
	if (hidden)
		return RT_BAD_FIELD(reason, setting->name, "wrong %s; allowed: %s",
				    source_name(source), allowed);
	return RT_BAD_FIELD(reason, setting->name, "\"%.32s\" %s; allowed: %s", value,
			    source_name(source), allowed);
}

static bool parse_int(const char *value, int64_t *number)
{
	const char *digits = value + (*value == '-' ? 1 : 0);
	if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*number = strtoll(value, NULL, 10);
	return true; /* too large: strtoll gives the limit, and errno says so */
}

static struct rt_status set_int(const struct rt_setting *setting, const char *value,
				enum source source, void *member)
{
	int64_t number;
	if (!parse_int(value, &number))
		return refuse(setting, "MALFORMED_VALUE", source, value);
	bool bounded = setting->min != 0 || setting->max != 0;
	if (errno == ERANGE || (bounded && (number < setting->min || number > setting->max)))
		return refuse(setting, "OUT_OF_RANGE", source, value);
	memcpy(member, &number, sizeof(number));
	return rt_ok();
}

static bool is_choice(const char *choices, const char *value)
{
	size_t length = strlen(value);
	for (const char *at = choices; at != NULL;) {
		size_t choice_length = strcspn(at, "|");
		if (choice_length == length && memcmp(at, value, length) == 0)
			return true;
		at = at[choice_length] == '|' ? at + choice_length + 1 : NULL;
	}
	return false;
}

static bool is_url(const char *value)
{
	const char *colon = strstr(value, "://");
	return colon != NULL && colon != value && colon[3] != '\0' &&
	       strpbrk(value, " \t\r\n") == NULL;
}

/* user:password@, or a parameter whose name ends in "password", as sslpassword does. What looks
 * like one is refused too. */
static bool holds_password(const char *value)
{
	const char *rest = strstr(value, "://");
	const char *at = rest == NULL ? NULL : strrchr(rest + 3, '@');
	if (at != NULL && memchr(rest + 3, ':', (size_t)(at - rest - 3)) != NULL)
		return true;
	for (const char *word = value; (word = strcasestr(word, "password")) != NULL;) {
		word += strlen("password");
		if (word[strspn(word, " \t\r\n")] == '=')
			return true;
	}
	return false;
}

static const char *fault_of_length(const struct rt_setting *setting, const char *value)
{
	struct rt_status status = rt_ok();
	if (setting->min != 0 || setting->max != 0)
		status = rt_text_field(setting->name, value, (size_t)setting->min,
				       (size_t)setting->max);
	return rt_is_ok(&status) ? NULL : "OUT_OF_RANGE";
}

static const char *fault_of_url(const struct rt_setting *setting, const char *value)
{
	if (holds_password(value))
		return "HOLDS_PASSWORD";
	return (value[0] == '\0' && setting->min == 0) || is_url(value) ? NULL : "MALFORMED_VALUE";
}

/* Checks a text of any kind against its row; returns the reason against it, or NULL. */
static const char *fault_of(const struct rt_setting *setting, const char *value)
{
	size_t length = strlen(value);
	if (!rt_text_is_utf8(value, length))
		return "MALFORMED_VALUE";
	switch (setting->kind) {
	case RT_SETTING_INT:
		break;
	case RT_SETTING_TEXT:
		return fault_of_length(setting, value);
	case RT_SETTING_CHOICE:
		return is_choice(setting->choices, value) ? NULL : "OUT_OF_RANGE";
	case RT_SETTING_PATH:
	case RT_SETTING_SECRET:
		return length < (size_t)setting->min ? "OUT_OF_RANGE" : NULL;
	case RT_SETTING_URL:
		return fault_of_url(setting, value);
	case RT_SETTING_CONNINFO:
		return holds_password(value) ? "HOLDS_PASSWORD" : fault_of_length(setting, value);
	}
	return NULL;
}

static struct rt_status set(const struct rt_setting *setting, const char *value, enum source source,
			    void *config)
{
	void *member = (char *)config + setting->offset;
	if (setting->kind == RT_SETTING_INT)
		return set_int(setting, value, source, member);
	const char *fault = fault_of(setting, value);
	if (fault != NULL)
		return refuse(setting, fault, source, value);
	memcpy(member, &value, sizeof(value));
	return rt_ok();
}

static const char *find_variable(char *const *environment, const char *name)
{
	size_t length = strlen(name);
	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

/* What flags leave to the environment and the default; *present is false when neither has it. */
static struct rt_status set_below_flags(const struct rt_program *program,
					const struct rt_setting *setting, char *const *environment,
					void *config, bool *present)
{
	char variable[CONFIG_NAME_BYTES];
	config_variable(program, setting, variable);
	const char *value = find_variable(environment, variable);
	*present = value != NULL || setting->fallback != NULL;
	if (value != NULL)
		return set(setting, value, FROM_ENVIRONMENT, config);
	if (setting->fallback != NULL)
		return set(setting, setting->fallback, FROM_DEFAULT, config);
	return rt_ok();
}

/* A command line on its way. Operands are moved to the front of argv, behind the program's name. */
struct reading {
	const struct rt_program *program;
	int argc;
	char **argv;
	int at;
	struct rt_command *command;
	enum rt_config_request *request;
	const char **given; /* by setting: what the flag says; NULL: no flag */
};

static bool is_request(struct reading *reading, const char *word)
{
	static const struct {
		const char *flag;
		enum rt_config_request request;
	} requests[] = {
		{"--help", RT_CONFIG_HELP},
		{"-h", RT_CONFIG_HELP},
		{"--version", RT_CONFIG_VERSION},
		{"--print-config", RT_CONFIG_PRINT},
		{"--print-reference", RT_CONFIG_REFERENCE},
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(word, requests[i].flag) != 0)
			continue;
		if (*reading->request == RT_CONFIG_RUN)
			*reading->request = requests[i].request;
		return true;
	}
	return false;
}

static bool is_flag_of(const struct rt_setting *setting, const char *word, size_t length)
{
	char flag[CONFIG_NAME_BYTES];
	config_flag(setting, flag);
	return strlen(flag) == length && memcmp(flag, word, length) == 0;
}

static struct rt_status read_flag(struct reading *reading, const char *word)
{
	if (is_request(reading, word))
		return rt_ok();
	size_t length = strcspn(word, "=");
	const struct rt_program *program = reading->program;
	for (size_t i = 0; i < program->setting_count; i++) {
		if (!is_flag_of(&program->settings[i], word, length))
			continue;
		if (word[length] == '=')
			reading->given[i] = word + length + 1;
		else if (reading->at < reading->argc)
			reading->given[i] = reading->argv[reading->at++];
		else
			return RT_BAD_FIELD("MISSING_VALUE", program->settings[i].name,
					    "%.*s needs a value", (int)length, word);
		return rt_ok();
	}
	return RT_BAD_FIELD("UNKNOWN_FLAG", "", "there is no flag %.*s",
			    (int)(length < 64 ? length : 64), word);
}

static struct rt_status read_words(struct reading *reading)
{
	bool flags = true;
	int kept = 1;
	struct rt_command *command = reading->command;
	*command = (struct rt_command){.name = "", .operands = reading->argv + kept};
	while (reading->at < reading->argc) {
		char *word = reading->argv[reading->at++];
		if (flags && strcmp(word, "--") == 0)
			flags = false;
		else if (flags && word[0] == '-' && word[1] != '\0')
			RT_TRY(read_flag(reading, word));
		else if (command->name[0] == '\0')
			command->name = word;
		else
			reading->argv[kept++] = word;
	}
	command->operand_count = kept - 1;
	return rt_ok();
}

static struct rt_status set_all(const struct reading *reading, char *const *environment,
				void *config)
{
	const struct rt_program *program = reading->program;
	bool serves = *reading->request == RT_CONFIG_RUN && reading->command->name[0] == '\0';
	for (size_t i = 0; i < program->setting_count; i++) {
		const struct rt_setting *setting = &program->settings[i];
		bool present = true;
		if (reading->given[i] != NULL)
			RT_TRY(set(setting, reading->given[i], FROM_FLAG, config));
		else
			RT_TRY(set_below_flags(program, setting, environment, config, &present));
		if (serves && !present)
			return RT_BAD_FIELD("REQUIRED", setting->name,
					    "must be set, and has no default");
	}
	return rt_ok();
}

#define SETTINGS_MAX 128

struct rt_status rt_config_parse(const struct rt_program *program, int argc, char **argv,
				 char *const *environment, void *config, struct rt_command *command,
				 enum rt_config_request *request)
{
	RT_ASSERT(program->setting_count <= SETTINGS_MAX);
	const char *given[SETTINGS_MAX] = {NULL};
	struct reading reading = {
		.program = program,
		.argc = argc,
		.argv = argv,
		.at = 1,
		.command = command,
		.request = request,
		.given = given,
	};
	*request = RT_CONFIG_RUN;
	RT_TRY(read_words(&reading));
	if (*request == RT_CONFIG_HELP || *request == RT_CONFIG_VERSION ||
	    *request == RT_CONFIG_REFERENCE)
		return rt_ok();
	return set_all(&reading, environment, config);
}

__attribute__((noreturn)) static void exit_wrong(const struct rt_program *program,
						 const struct rt_status *status)
{
	fprintf(stderr, "%s: ", program->name);
	for (size_t i = 0; i < program->setting_count; i++) {
		char flag[CONFIG_NAME_BYTES], variable[CONFIG_NAME_BYTES];
		if (strcmp(program->settings[i].name, status->field) != 0)
			continue;
		config_flag(&program->settings[i], flag);
		config_variable(program, &program->settings[i], variable);
		fprintf(stderr, "setting %s (%s, %s): ", status->field, flag, variable);
	}
	fprintf(stderr, "%s\nSee %s --help.\n", status->detail, program->name);
	exit(2);
}

#ifndef DALER_VERSION
#define DALER_VERSION "unknown"
#endif

void rt_config_load(const struct rt_program *program, int argc, char **argv, void *config,
		    struct rt_command *command)
{
	enum rt_config_request request;
	struct rt_status status =
		rt_config_parse(program, argc, argv, environ, config, command, &request);
	if (!rt_is_ok(&status))
		exit_wrong(program, &status);
	switch (request) {
	case RT_CONFIG_RUN:
		return;
	case RT_CONFIG_HELP:
		rt_config_help(program, stdout);
		break;
	case RT_CONFIG_VERSION:
		printf("%s %s\n", program->name, DALER_VERSION);
		break;
	case RT_CONFIG_PRINT:
		rt_config_print(program, config, environ, stdout);
		break;
	case RT_CONFIG_REFERENCE:
		rt_config_reference(program, stdout);
		break;
	}
	exit(fflush(stdout) == 0 ? 0 : 1);
}

void rt_config_require(const struct rt_program *program, const char *setting, const char *value)
{
	if (value != NULL && value[0] != '\0')
		return;
	struct rt_status status = RT_BAD_FIELD("REQUIRED", setting, "this command needs it");
	exit_wrong(program, &status);
}

int rt_config_no_command(const struct rt_program *program, const struct rt_command *command)
{
	fprintf(stderr, "%s: there is no command '%s'\nSee %s --help.\n", program->name,
		command->name, program->name);
	return 2;
}
