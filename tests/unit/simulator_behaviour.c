/* What the simulator can be told, from hostile text too, and what it plans to do then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/behaviour.h"
#include "domain/page_token.h"
#include "domain/plan.h"

static struct behaviour told(const char *text)
{
	struct behaviour behaviour;
	struct rt_status status = behaviour_parse("instrument", text, &behaviour);
	if (!rt_is_ok(&status))
		fail_msg("%s: %s", text, status.detail);
	return behaviour;
}

static void test_what_is_told_is_read(void **state)
{
	(void)state;
	struct behaviour behaviour = told("decline=INSUFFICIENT_FUNDS,delay=500,notify-twice");
	assert_string_equal(behaviour.decline_reason, "INSUFFICIENT_FUNDS");
	assert_int_equal(behaviour.values[BEHAVIOUR_DELAY], 500);
	assert_int_equal(behaviour.values[BEHAVIOUR_NOTIFY_TWICE], 1);
	assert_int_equal(behaviour.values[BEHAVIOUR_LATE], 0);
	behaviour = told("decline");
	assert_string_equal(behaviour.decline_reason, "DO_NOT_HONOR");
	assert_int_equal(told("fail-before").values[BEHAVIOUR_FAIL_BEFORE], 1);
	assert_int_equal(told("fail-before=2").values[BEHAVIOUR_FAIL_BEFORE], 2);
	assert_int_equal(told("pending").values[BEHAVIOUR_PENDING], 1000);
}

static void test_the_prefix(void **state)
{
	(void)state;
	assert_true(behaviour_is_scripted("sim:ok"));
	assert_true(behaviour_is_scripted("sim:"));
	assert_false(behaviour_is_scripted(""));
	assert_false(behaviour_is_scripted("sim"));
	assert_false(behaviour_is_scripted("SIM:ok"));
	assert_false(behaviour_is_scripted("tok_sim:ok"));
}

static void test_hostile_text_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		",",
		"ok,",
		",ok",
		"ok,,ok",
		"ok,ok",
		" ok",
		"ok ",
		"OK",
		"o",
		"okay",
		"nonsense",
		"=",
		"=5",
		"ok=",
		"ok=1",
		"delay",
		"delay=",
		"delay=0",
		"delay=-1",
		"delay=+1",
		"delay= 1",
		"delay=1 ",
		"delay=0x10",
		"delay=1e3",
		"delay=1.5",
		"delay=50001",
		"delay=99999999999999999999",
		"delay=1=2",
		"delay=1,delay=1",
		"decline=",
		"decline=lower",
		"decline=A B",
		"decline=_A",
		"decline=1A",
		"decline=A=B",
		"decline=\xc3\x84",
		"ok,decline",
		"late=0",
		"fail-before=0",
		"fail-before=1000001",
		"notify-twice=2",
		"notify-none,notify-twice",
		"pending=86400001",
		"no-answer=x",
		"lost=\n",
		"%s%n%s",
		"decline=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct behaviour behaviour, before;
		memset(&behaviour, 0x5a, sizeof(behaviour));
		before = behaviour;
		struct rt_status status = behaviour_parse("instrument", wrong[i], &behaviour);
		if (rt_is_ok(&status))
			fail_msg("accepted: %s", wrong[i]);
		assert_string_equal(status.reason, "INVALID_FIELD");
		assert_string_equal(status.field, "instrument");
		assert_memory_equal(&behaviour, &before, sizeof(before));
	}
}

/* Random texts out of the table's own characters: each is read or refused, within bounds. */
static void test_random_text(void **state)
{
	(void)state;
	static const char *const pieces[] = {"ok", "decline",   "delay", "late",    "=",    ",",
					     "9",  "A",         "lost",  "pending", "\xff", "-",
					     "no", "no-answer", "\t",    "0"};
	unsigned seed = 20260101;
	for (int i = 0; i < 200000; i++) {
		char text[128] = "";
		int count = 1 + rand_r(&seed) % 8;
		for (int j = 0; j < count; j++)
			strncat(text, pieces[rand_r(&seed) % 16], 16);
		struct behaviour behaviour;
		struct rt_status status = behaviour_parse("instrument", text, &behaviour);
		if (rt_is_ok(&status)) {
			assert_in_range(behaviour.values[BEHAVIOUR_DELAY], 0, 50000);
			assert_in_range(strlen(behaviour.decline_reason), 1,
					BEHAVIOUR_REASON_CHARACTERS_MAX);
		}
	}
}

static struct plan planned(const char *text, int64_t try_number)
{
	struct behaviour behaviour = told(text);
	return plan_make(&behaviour, try_number);
}

static void test_tries_come_in_order(void **state)
{
	(void)state;
	assert_int_equal(planned("fail-before=2,lost,late", 1).act, PLAN_FAIL);
	assert_int_equal(planned("fail-before=2,lost,late", 2).act, PLAN_FAIL);
	assert_int_equal(planned("fail-before=2,lost,late", 3).act, PLAN_LOSE);
	assert_int_equal(planned("fail-before=2,lost,late", 4).act, PLAN_DO);
	assert_int_equal(planned("fail-before=2,lost,late", 4).answer, PLAN_ANSWER_LATE);
	assert_int_equal(planned("fail-before=2,lost,late", 5).answer, PLAN_ANSWER);
	assert_int_equal(planned("no-answer", 1).answer, PLAN_ANSWER_NEVER);
	assert_int_equal(planned("no-answer", 999).answer, PLAN_ANSWER_NEVER);
	assert_int_equal(planned("no-answer=1", 2).answer, PLAN_ANSWER);
}

static void test_statuses(void **state)
{
	(void)state;
	assert_int_equal(planned("ok", 1).status, OPERATION_SUCCEEDED);
	assert_int_equal(planned("decline", 1).status, OPERATION_DECLINED);
	struct plan plan = planned("pending=300,decline", 1);
	assert_int_equal(plan.status, OPERATION_PENDING);
	assert_int_equal(plan.final_status, OPERATION_DECLINED);
	assert_int_equal(plan.final_after_us, 300000);
}

static void test_notifications(void **state)
{
	(void)state;
	struct plan plan = planned("ok", 1);
	assert_int_equal(plan.notification_count, 1);
	assert_int_equal(plan.notifications[0].shows, OPERATION_SUCCEEDED);
	assert_true(plan.notifications[0].after_us > plan.answer_after_us);
	plan = planned("notify-early", 1);
	assert_int_equal(plan.notification_count, 1);
	assert_true(plan.notifications[0].after_us < plan.answer_after_us);
	plan = planned("notify-out-of-order,pending=100,notify-twice", 1);
	assert_int_equal(plan.copies, 2);
	assert_int_equal(plan.notification_count, 2);
	assert_int_equal(plan.notifications[0].shows, OPERATION_SUCCEEDED);
	assert_int_equal(plan.notifications[1].shows, OPERATION_PENDING);
	assert_true(plan.notifications[1].after_us > plan.notifications[0].after_us);
	assert_int_equal(planned("notify-early,pending,notify-out-of-order", 1).notification_count,
			 3);
	assert_int_equal(planned("notify-none", 1).notification_count, 0);
}

static void test_page_tokens(void **state)
{
	(void)state;
	char token[PAGE_TOKEN_BYTES], changed[PAGE_TOKEN_BYTES];
	int64_t arrival = 0;
	page_token_make(123456789, token);
	assert_true(page_token_read(token, &arrival));
	assert_int_equal(arrival, 123456789);
	for (size_t i = 0; i < PAGE_TOKEN_BYTES - 1; i++) {
		memcpy(changed, token, sizeof(changed));
		changed[i] = changed[i] == '0' ? '1' : '0';
		assert_false(page_token_read(changed, &arrival));
	}
	assert_false(page_token_read("", &arrival));
	assert_false(page_token_read("123", &arrival));
	assert_false(page_token_read("0x00000000000000000000000000000000", &arrival));
}

static void test_the_reference_names_every_behaviour(void **state)
{
	(void)state;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	behaviour_print_reference(out);
	fclose(out);
#define BEHAVIOUR(id, name, kind, least, most, without, unit, prose)                               \
	assert_non_null(strstr(text, "| `" name));
#include "domain/behaviour.def"
#undef BEHAVIOUR
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_told_is_read),
		cmocka_unit_test(test_the_prefix),
		cmocka_unit_test(test_hostile_text_is_refused_and_changes_nothing),
		cmocka_unit_test(test_random_text),
		cmocka_unit_test(test_tries_come_in_order),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_notifications),
		cmocka_unit_test(test_page_tokens),
		cmocka_unit_test(test_the_reference_names_every_behaviour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
