#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base_aborts.h"
#include "rt/status.h"
#include "rt/text.h"

static struct rt_status fails(void)
{
	return RT_FAIL(NOT_FOUND, "ACCOUNT_NOT_FOUND", "there is no account %d", 7);
}

static struct rt_status tries(int *reached)
{
	RT_TRY(rt_ok());
	*reached = 1;
	RT_TRY(fails());
	*reached = 2;
	return rt_ok();
}

static void test_make(void **state)
{
	(void)state;
	int reached = 0;
	struct rt_status status = tries(&reached);
	assert_int_equal(reached, 1);
	assert_false(rt_is_ok(&status));
	assert_int_equal(status.code, RT_NOT_FOUND);
	assert_string_equal(status.reason, "ACCOUNT_NOT_FOUND");
	assert_string_equal(status.detail, "there is no account 7");
	assert_string_equal(status.field, "");
	assert_non_null(strstr(status.file, "base_status.c"));
	assert_true(status.line > 0);
	struct rt_status ok = rt_ok();
	assert_true(rt_is_ok(&ok));
}

static void test_field_paths(void **state)
{
	(void)state;
	struct rt_status status =
		RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be positive");
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.field, "amount_minor");
	status = rt_status_in(status, "transfers[%zu].", (size_t)3);
	status = rt_status_in(status, "groups[%d].", 0);
	assert_string_equal(status.field, "groups[0].transfers[3].amount_minor");
	assert_string_equal(status.detail, "must be positive");
	struct rt_status ok = rt_status_in(rt_ok(), "prefix.");
	assert_string_equal(ok.field, "");
	struct rt_status no_field = rt_status_in(fails(), "prefix.");
	assert_string_equal(no_field.field, "");
}

static void test_long_texts_are_cut(void **state)
{
	(void)state;
	char text[300];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct rt_status status = RT_BAD_FIELD("R", text, "%s", text);
	assert_int_equal(strlen(status.detail), sizeof(status.detail) - 1);
	assert_int_equal(strlen(status.field), sizeof(status.field) - 1);
	status = rt_status_in(status, "%s.", text);
	assert_int_equal(strlen(status.field), sizeof(status.field) - 1);
}

/* What a peer sent may be quoted, but must leave as UTF-8, also when a character stands across the
 * cut. */
static void test_details_are_utf8(void **state)
{
	(void)state;
	for (size_t pad = 120; pad < 128; pad++) {
		struct rt_status status =
			RT_FAIL(INTERNAL, "R", "%*s\xf0\x9f\x98\x80\xf0\x9f\x98\x80", (int)pad, "");
		assert_true(rt_text_is_utf8(status.detail, strlen(status.detail)));
		assert_null(strchr(status.detail, '?'));
	}
	struct rt_status status = RT_BAD_FIELD("R", "a\xff", "a\xff\x01z\xc3");
	assert_string_equal(status.detail, "a??z");
	assert_string_equal(status.field, "a?");
}

static void test_codes(void **state)
{
	(void)state;
	assert_string_equal(rt_code_name(RT_OK), "OK");
	assert_string_equal(rt_code_name(RT_OUTCOME_UNKNOWN), "OUTCOME_UNKNOWN");
	assert_int_equal(rt_code_grpc(RT_NOT_FOUND), 5);
	assert_int_equal(rt_code_grpc(RT_UNAUTHENTICATED), 16);
	assert_int_equal(rt_code_grpc(RT_OUTCOME_UNKNOWN), 14);
	assert_true(rt_code_retryable(RT_UNAVAILABLE));
	assert_true(rt_code_retryable(RT_OUTCOME_UNKNOWN));
	assert_false(rt_code_retryable(RT_FAILED_PRECONDITION));
	assert_false(rt_code_retryable(RT_OK));
	/* Another's UNAVAILABLE is not our lost commit. */
	assert_int_equal(rt_code_from_grpc(14), RT_UNAVAILABLE);
	for (int code = RT_OK; code < RT_OUTCOME_UNKNOWN; code++)
		assert_int_equal(rt_code_from_grpc(rt_code_grpc((enum rt_code)code)), code);
	const int strangers[] = {2, 11, 15, 17, -1, INT32_MAX, INT32_MIN};
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		assert_int_equal(rt_code_from_grpc(strangers[i]), RT_INTERNAL);
}

static void make_ok(void *argument)
{
	(void)argument;
	struct rt_status status = RT_FAIL(OK, "NONE", "a success is no failure");
	(void)status;
}

static void name_stranger(void *argument)
{
	(void)argument;
	rt_code_name((enum rt_code)99);
}

static void test_misuse_aborts(void **state)
{
	(void)state;
	assert_true(aborts(make_ok, NULL));
	assert_true(aborts(name_stranger, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_field_paths),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_details_are_utf8),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_misuse_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
