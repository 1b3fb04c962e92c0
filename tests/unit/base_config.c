#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_aborts.h"
#include "rt/config.h"

struct demo_config {
	struct rt_common_config common;
	struct rt_database_config database;
	const char *redis;
	const char *must;
	int64_t any_number;
	int64_t must_number;
	const char *file;
};

static const struct rt_setting settings[] = {
	RT_COMMON_SETTINGS(struct demo_config, "127.0.0.1:7001", "127.0.0.1:7101"),
	RT_DATABASE_SETTINGS(struct demo_config, "demo"),
	RT_URL_SETTING(struct demo_config, redis, "redis", "", "where Redis is; empty: none"),
	RT_TEXT_SETTING(struct demo_config, must, "must", NULL, 1, 5, "has to be said"),
	RT_INT_SETTING(struct demo_config, any_number, "any_number", "-7", 0, 0, "",
		       "any whole number"),
	RT_INT_SETTING(struct demo_config, must_number, "must_number", NULL, 1, 9, "s",
		       "has to be said too"),
	{.name = "file",
	 .kind = RT_SETTING_PATH,
	 .offset = offsetof(struct demo_config, file),
	 .fallback = "/f",
	 .min = 1,
	 .prose = "a file"},
};

static const struct rt_program program = {
	.name = "daler-demo",
	.variable = "DALER_DEMO",
	.purpose = "shows what settings do",
	.commands = "  migrate  changes the schema\n",
	.settings = settings,
	.setting_count = sizeof(settings) / sizeof(settings[0]),
};

/* One try: words and variables in, everything else out. */
struct
try {
	struct demo_config config;
	struct rt_command command;
	enum rt_config_request request;
	struct rt_status status;
	char *argv[16];
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* Copies, as a program's own words may be changed. They live until the next try, because the config
 * points into them. */
static char *copies[32];
static size_t copied;

static char *copy(const char *text)
{
	return copies[copied++] = strdup(text);
}

static void parse(struct try *try, const char *const *words, const char *const *environment)
{
	while (copied > 0)
		free(copies[--copied]);
	memset(try, 0, sizeof(*try));
	int argc = 0;
	try->argv[argc++] = copy("daler-demo");
	for (; *words != NULL; words++)
		try->argv[argc++] = copy(*words);
	char *variables[8] = {NULL};
	for (size_t i = 0; environment[i] != NULL; i++)
		variables[i] = copy(environment[i]);
	try->status = rt_config_parse(&program, argc, try->argv, variables, &try->config,
				      &try->command, &try->request);
}

static void expect_ok(struct try *try, const char *const *words, const char *const *environment)
{
	parse(try, words, environment);
	if (!rt_is_ok(&try->status))
		fail_msg("%s: %s: %s", try->status.reason, try->status.field, try->status.detail);
}

static void expect_wrong(const char *const *words, const char *const *environment,
			 const char *reason, const char *field, const char *in_detail)
{
	struct try try;
	parse(&try, words, environment);
	assert_int_equal(try.status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(try.status.reason, reason);
	assert_string_equal(try.status.field, field);
	if (strstr(try.status.detail, in_detail) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", in_detail, try.status.detail);
}

#define MUST "--must", "m", "--must-number=1"

static void test_precedence(void **state)
{
	(void)state;
	struct try try;
	expect_ok(&try, WORDS(MUST), WORDS());
	assert_int_equal(try.config.common.workers, 4);
	assert_string_equal(try.config.common.listen, "127.0.0.1:7001");
	assert_string_equal(try.config.database.db_runtime_role, "demo_service");
	assert_int_equal(try.config.any_number, -7);
	assert_int_equal(try.config.must_number, 1);
	assert_string_equal(try.config.redis, "");
	assert_int_equal(try.request, RT_CONFIG_RUN);
	assert_string_equal(try.command.name, "");

	expect_ok(&try, WORDS(MUST),
		  WORDS("DALER_DEMO_WORKERS=7", "DALER_DEMO_WORKERSX=9", "WORKERS=8"));
	assert_int_equal(try.config.common.workers, 7);
	expect_ok(&try, WORDS(MUST, "--workers", "9"), WORDS("DALER_DEMO_WORKERS=7"));
	assert_int_equal(try.config.common.workers, 9);
	expect_ok(&try, WORDS(MUST, "--workers=9", "--workers=10"), WORDS());
	assert_int_equal(try.config.common.workers, 10);
	/* What loses is not looked at. */
	expect_ok(&try, WORDS(MUST, "--workers=9"), WORDS("DALER_DEMO_WORKERS=nonsense"));
	expect_ok(&try, WORDS(MUST), WORDS("DALER_DEMO_TLS_CERT=/x/a=b"));
	assert_string_equal(try.config.common.tls_cert, "/x/a=b");
}

static void test_commands(void **state)
{
	(void)state;
	struct try try;
	expect_ok(&try, WORDS("migrate"), WORDS()); /* needs less than serve */
	assert_string_equal(try.command.name, "migrate");
	assert_int_equal(try.command.operand_count, 0);
	expect_ok(&try,
		  WORDS("--workers", "2", "show", "a", "--log-level=warn", "b", "-", "--", "--c",
			"d"),
		  WORDS());
	assert_string_equal(try.command.name, "show");
	assert_int_equal(try.command.operand_count, 5);
	const char *const expected[] = {"a", "b", "-", "--c", "d"};
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(try.command.operands[i], expected[i]);
	assert_string_equal(try.config.common.log_level, "warn");
	assert_null(try.config.must);
}

static void test_required(void **state)
{
	(void)state;
	expect_wrong(WORDS(), WORDS(), "REQUIRED", "must", "no default");
	expect_wrong(WORDS("--must", "m"), WORDS(), "REQUIRED", "must_number", "no default");
	struct try try;
	expect_ok(&try, WORDS(), WORDS("DALER_DEMO_MUST=x", "DALER_DEMO_MUST_NUMBER=2"));
	expect_ok(&try, WORDS("--print-config"), WORDS());
}

static void test_flags_wrong(void **state)
{
	(void)state;
	expect_wrong(WORDS(MUST, "--wrokers=1"), WORDS(), "UNKNOWN_FLAG", "", "--wrokers");
	expect_wrong(WORDS(MUST, "--work", "1"), WORDS(), "UNKNOWN_FLAG", "", "--work");
	expect_wrong(WORDS(MUST, "--tls_cert=1"), WORDS(), "UNKNOWN_FLAG", "", "--tls_cert");
	expect_wrong(WORDS(MUST, "-x"), WORDS(), "UNKNOWN_FLAG", "", "-x");
	expect_wrong(WORDS(MUST, "--workers"), WORDS(), "MISSING_VALUE", "workers",
		     "--workers needs a value");
	/* What could be a secret by mistake is not repeated. */
	struct try try;
	parse(&try, WORDS("--database-pasword=hunter2"), WORDS());
	assert_null(strstr(try.status.detail, "hunter2"));
}

static void test_numbers_wrong(void **state)
{
	(void)state;
	const char *const malformed[] = {"",    " 1",  "1 ",  "+1", "1.0", "0x10",    "ten",
					 "1e3", "--1", "1\n", "-",  "1_0", "\xd9\xa1"};
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		expect_wrong(WORDS(MUST, "--workers", malformed[i]), WORDS(), "MALFORMED_VALUE",
			     "workers", "allowed: 1 to 256 threads");
	const char *const outside[] = {"0",
				       "257",
				       "-1",
				       "9223372036854775808",
				       "-9223372036854775809",
				       "99999999999999999999999"};
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		expect_wrong(WORDS(MUST, "--workers", outside[i]), WORDS(), "OUT_OF_RANGE",
			     "workers", "1 to 256 threads");
	expect_wrong(WORDS(MUST), WORDS("DALER_DEMO_WORKERS=0"), "OUT_OF_RANGE", "workers",
		     "\"0\" in the environment");
	expect_wrong(WORDS(MUST, "--any-number=9223372036854775808"), WORDS(), "OUT_OF_RANGE",
		     "any_number", "whole number");
	struct try try;
	expect_ok(&try, WORDS(MUST, "--any-number=-9223372036854775808", "--workers=256"), WORDS());
	assert_int_equal(try.config.any_number, INT64_MIN);
}

static void test_texts_wrong(void **state)
{
	(void)state;
	expect_wrong(WORDS("--must", "123456", "--must-number=1"), WORDS(), "OUT_OF_RANGE", "must",
		     "1 to 5 characters");
	expect_wrong(WORDS("--must=", "--must-number=1"), WORDS(), "OUT_OF_RANGE", "must",
		     "1 to 5");
	expect_wrong(WORDS("--must=\xff", "--must-number=1"), WORDS(), "MALFORMED_VALUE", "must",
		     "1 to 5");
	const char *const levels[] = {"", "inf", "infox", "debug|info", "INFO", "|"};
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		expect_wrong(WORDS(MUST, "--log-level", levels[i]), WORDS(), "OUT_OF_RANGE",
			     "log_level", "one of debug, info, warn, error");
	expect_wrong(WORDS(MUST, "--file="), WORDS(), "OUT_OF_RANGE", "file", "path");
	const char *const urls[] = {"localhost", "://x", "redis://", "redis://a b"};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		expect_wrong(WORDS(MUST, "--redis", urls[i]), WORDS(), "MALFORMED_VALUE", "redis",
			     "scheme://host:port/path");
	struct try try;
	parse(&try, WORDS(MUST, "--redis=hunter2"), WORDS());
	assert_null(strstr(try.status.detail, "hunter2"));
}

static const char *printed(void (*print)(FILE *, const void *), const void *argument)
{
	static char text[32768];
	FILE *out = fmemopen(text, sizeof(text), "w");
	print(out, argument);
	fclose(out);
	return text;
}

static void print_config(FILE *out, const void *argument)
{
	char stranger[] = "DALER_DEMO_WROKERS=hunter2";
	char other[] = "DALER_DEMONSTRATION=1";
	char known[] = "DALER_DEMO_WORKERS=5";
	char *const environment[] = {stranger, other, known, NULL};
	rt_config_print(&program, argument, environment, out);
}

static void test_print_config(void **state)
{
	(void)state;
	struct try try;
	expect_ok(&try,
		  WORDS("--print-config", "--redis=redis://hunter2@h:1/0?x=hunter2",
			"--database=host=h", "--database-owner=postgresql://hunter2@h/d",
			"--must=m"),
		  WORDS());
	assert_int_equal(try.request, RT_CONFIG_PRINT);
	const char *text = printed(print_config, &try.config);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "DALER_DEMO_REDIS=redis://***@h:1/0?***\n"));
	assert_non_null(strstr(text, "DALER_DEMO_DATABASE=host=h\n"));
	assert_non_null(strstr(text, "DALER_DEMO_DATABASE_OWNER=postgresql://***@h/d\n"));
	assert_non_null(strstr(text, "DALER_DEMO_WORKERS=4\n"));
	assert_non_null(
		strstr(text, "DALER_DEMO_DATABASE_PASSWORD_FILE=/etc/daler/secrets/db-password\n"));
	assert_non_null(strstr(text, "DALER_DEMO_ANY_NUMBER=-7\n"));
	assert_non_null(
		strstr(text, "# DALER_DEMO_WROKERS is in the environment and is no setting"));
	assert_null(strstr(text, "DEMONSTRATION"));
	assert_null(strstr(text, "# DALER_DEMO_WORKERS"));
}

static void test_passwords_are_refused(void **state)
{
	(void)state;
	const char *const flags[] = {"--redis=redis://u:hun/ter2@h/0",
				     "--redis=redis://u:hun@ter2@h",
				     "--redis=redis://:hun?ter2@h/1",
				     "--redis=redis://h:1/0?password=hunter2",
				     "--database=host=h password=hunter2",
				     "--database=host=h PASSWORD = 'hunter2'",
				     "--database=host=h sslpassword=hunter2",
				     "--database=postgresql://o:hunter2@h/d",
				     "--database-owner=postgresql://h/d?password=hunter2"};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct try try;
		parse(&try, WORDS(MUST, flags[i]), WORDS());
		assert_int_equal(try.status.code, RT_INVALID_ARGUMENT);
		assert_string_equal(try.status.reason, "HOLDS_PASSWORD");
		assert_null(strstr(try.status.detail, "ter2"));
		assert_non_null(strstr(try.status.detail, "without a password"));
	}
	struct try try;
	expect_ok(&try,
		  WORDS("--database=postgresql://o@[::1]:5432/password", "--redis=redis://u@h:1",
			MUST),
		  WORDS());
}

static void print_help(FILE *out, const void *argument)
{
	(void)argument;
	rt_config_help(&program, out);
}

static void print_reference(FILE *out, const void *argument)
{
	(void)argument;
	rt_config_reference(&program, out);
}

static void test_help_and_reference_name_all(void **state)
{
	(void)state;
	char help[32768], reference[32768];
	snprintf(help, sizeof(help), "%s", printed(print_help, NULL));
	snprintf(reference, sizeof(reference), "%s", printed(print_reference, NULL));
	for (size_t i = 0; i < program.setting_count; i++) {
		char flag[64];
		snprintf(flag, sizeof(flag), "--%s", settings[i].name);
		for (char *at = flag; *at != '\0'; at++)
			if (*at == '_')
				*at = '-';
		assert_non_null(strstr(help, flag));
		assert_non_null(strstr(reference, flag));
		assert_non_null(strstr(reference, settings[i].prose));
	}
	assert_non_null(strstr(help, "  --workers N  (DALER_DEMO_WORKERS)\n"));
	assert_non_null(strstr(help, "default 4; 1 to 256 threads\n"));
	assert_non_null(strstr(help, "required; 1 to 5 characters\n"));
	assert_non_null(strstr(help, "  migrate  changes the schema\n"));
	assert_non_null(strstr(reference,
			       "| `--workers` | `DALER_DEMO_WORKERS` | `4` | 1 to 256 threads |"));
	for (const char *line = help; line != NULL; line = strchr(line + 1, '\n'))
		assert_true(strcspn(line + 1, "\n") <= 110);
}

static void test_requests(void **state)
{
	(void)state;
	struct try try;
	/* These work whatever else is wrong. */
	expect_ok(&try, WORDS("--help"), WORDS("DALER_DEMO_WORKERS=nonsense"));
	assert_int_equal(try.request, RT_CONFIG_HELP);
	expect_ok(&try, WORDS("migrate", "-h"), WORDS());
	assert_int_equal(try.request, RT_CONFIG_HELP);
	expect_ok(&try, WORDS("--version"), WORDS());
	assert_int_equal(try.request, RT_CONFIG_VERSION);
	expect_ok(&try, WORDS("--print-reference"), WORDS());
	assert_int_equal(try.request, RT_CONFIG_REFERENCE);
	expect_wrong(WORDS("--print-config", "--workers=0"), WORDS(), "OUT_OF_RANGE", "workers",
		     "256");
}

static void load(void *argument)
{
	char name[] = "daler-demo";
	char *argv[] = {name, argument, NULL};
	struct demo_config config = {0};
	struct rt_command command;
	rt_config_load(&program, 2, argv, &config, &command);
	_exit(77);
}

static void require_absent(void *argument)
{
	rt_config_require(&program, "database_owner", argument);
	_exit(77);
}

static void expect_exit(void (*function)(void *), const char *argument, int code)
{
	char words[64];
	snprintf(words, sizeof(words), "%s", argument == NULL ? "" : argument);
	int status = run_in_child(function, argument == NULL ? NULL : words);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void test_exits(void **state)
{
	(void)state;
	expect_exit(load, "--help", 0);
	expect_exit(load, "--version", 0);
	expect_exit(load, "--print-config", 0);
	expect_exit(load, "--print-reference", 0);
	expect_exit(load, "--workers=0", 2);
	expect_exit(load, "--nonsense", 2);
	expect_exit(load, "--must=m", 2); /* another one is missing */
	expect_exit(load, "migrate", 77);
	expect_exit(require_absent, NULL, 2);
	expect_exit(require_absent, "", 2);
	expect_exit(require_absent, "x", 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_flags_wrong),
		cmocka_unit_test(test_numbers_wrong),
		cmocka_unit_test(test_texts_wrong),
		cmocka_unit_test(test_print_config),
		cmocka_unit_test(test_passwords_are_refused),
		cmocka_unit_test(test_help_and_reference_name_all),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_exits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
