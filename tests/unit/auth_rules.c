/* What auth decides by itself: usernames, passwords, roles, and who is let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "domain/login.h"
#include "domain/password.h"
#include "domain/role.h"
#include "domain/user.h"
#include "domain/username.h"

static void refused(struct rt_status status, const char *reason, const char *field)
{
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, reason);
	assert_string_equal(status.field, field);
}

static void accepted(struct rt_status status)
{
	assert_int_equal(status.code, RT_OK);
}

static void test_usernames(void **state)
{
	(void)state;
	char longest[USERNAME_CHARACTERS_MAX + 2];
	memset(longest, 'a', sizeof(longest));
	longest[USERNAME_CHARACTERS_MAX] = '\0';
	accepted(username_check("username", "abc"));
	accepted(username_check("username", "anna.b-c_d+e@example.org"));
	accepted(username_check("username", longest));
	longest[USERNAME_CHARACTERS_MAX] = 'a';
	longest[USERNAME_CHARACTERS_MAX + 1] = '\0';
	refused(username_check("username", longest), "INVALID_LENGTH", "username");
	refused(username_check("username", "ab"), "INVALID_LENGTH", "username");
	refused(username_check("username", ""), "INVALID_LENGTH", "username");
	static const char *const wrong[] = {"Anna",    "an na",    "anna\n", "ann\xc3\xa4",
					    "anna'--", "anna\x7f", "a/b/c"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(username_check("username", wrong[i]), "INVALID_TEXT", "username");
}

static void test_passwords(void **state)
{
	(void)state;
	char longest[PASSWORD_BYTES_MAX + 1];
	memset(longest, 'x', sizeof(longest));
	accepted(password_check("password", "12345678", 8));
	accepted(password_check("password", "\xc3\xa4\xc3\xb6\xc3\xbc \t", 8));
	accepted(password_check("password", longest, PASSWORD_BYTES_MAX));
	refused(password_check("password", longest, PASSWORD_BYTES_MAX + 1), "INVALID_LENGTH",
		"password");
	refused(password_check("password", "1234567", 7), "INVALID_LENGTH", "password");
	refused(password_check("password", "", 0), "INVALID_LENGTH", "password");
	refused(password_check("password", "1234\0678", 8), "INVALID_TEXT", "password");
	refused(password_check("password", "1234567\xff", 8), "INVALID_TEXT", "password");
	refused(password_check("password", "1234567\xc3", 8), "INVALID_TEXT", "password");
}

static void test_a_refusal_does_not_quote_the_password(void **state)
{
	(void)state;
	struct rt_status status = password_check("password", "secret\xff!", 8);
	assert_null(strstr(status.detail, "secret"));
}

static void test_an_attempt_may_break_the_policy(void **state)
{
	(void)state;
	accepted(password_attempt_check("password", 1));
	accepted(password_attempt_check("password", PASSWORD_BYTES_MAX));
	refused(password_attempt_check("password", 0), "INVALID_LENGTH", "password");
	refused(password_attempt_check("password", PASSWORD_BYTES_MAX + 1), "INVALID_LENGTH",
		"password");
}

static void test_role_names(void **state)
{
	(void)state;
	static const enum rt_role all[] = {RT_ROLE_PLAYER, RT_ROLE_OPERATOR, RT_ROLE_AUDITOR};
	enum rt_role role;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_true(role_parse(role_name(all[i]), &role));
		assert_int_equal(role, all[i]);
	}
	assert_null(role_name(RT_ROLE_NONE));
	assert_false(role_parse("", &role));
	assert_false(role_parse("Player", &role));
	assert_false(role_parse("playerx", &role));
}

/* Every identity, with every role of a token, against every role to be created: only what is named
 * is allowed. */
static void test_who_may_create_whom(void **state)
{
	(void)state;
	static const enum rt_role tokens[] = {RT_ROLE_NONE, RT_ROLE_PLAYER, RT_ROLE_OPERATOR,
					      RT_ROLE_AUDITOR};
	for (int identity = 0; identity < RT_ID_COUNT; identity++) {
		for (size_t i = 0; i < 4; i++) {
			for (size_t j = 1; j < 4; j++) {
				const struct rt_caller caller = {
					.identity = (enum rt_identity)identity, .role = tokens[i]};
				bool expected = (identity == RT_ID_GATEWAY &&
						 tokens[j] == RT_ROLE_PLAYER) ||
						(identity == RT_ID_OPERATOR &&
						 tokens[i] == RT_ROLE_OPERATOR);
				struct rt_status status = role_may_create(&caller, tokens[j]);
				assert_int_equal(status.code,
						 expected ? RT_OK : RT_PERMISSION_DENIED);
			}
		}
	}
}

static void test_who_may_read_whom(void **state)
{
	(void)state;
	const struct rt_uuid self = {.bytes = {1}}, other = {.bytes = {2}};
	struct rt_caller caller = {
		.identity = RT_ID_GATEWAY, .role = RT_ROLE_PLAYER, .user_id = self};
	assert_int_equal(role_may_read(&caller, &self).code, RT_OK);
	assert_int_equal(role_may_read(&caller, &other).code, RT_PERMISSION_DENIED);
	caller.role = RT_ROLE_AUDITOR;
	assert_int_equal(role_may_read(&caller, &other).code, RT_OK);
	caller.role = RT_ROLE_OPERATOR;
	assert_int_equal(role_may_read(&caller, &other).code, RT_OK);
	caller = (struct rt_caller){.identity = RT_ID_GATEWAY, .role = RT_ROLE_NONE};
	assert_int_equal(role_may_read(&caller, &caller.user_id).code, RT_PERMISSION_DENIED);
}

static void test_staff_log_in_with_the_operators_certificate_alone(void **state)
{
	(void)state;
	for (int identity = 0; identity < RT_ID_COUNT; identity++) {
		enum rt_identity id = (enum rt_identity)identity;
		assert_int_equal(role_may_log_in(id, RT_ROLE_PLAYER),
				 id == RT_ID_GATEWAY || id == RT_ID_OPERATOR);
		assert_int_equal(role_may_log_in(id, RT_ROLE_OPERATOR), id == RT_ID_OPERATOR);
		assert_int_equal(role_may_log_in(id, RT_ROLE_AUDITOR), id == RT_ID_OPERATOR);
		assert_false(role_may_log_in(id, RT_ROLE_NONE));
	}
}

static void test_login_verdicts(void **state)
{
	(void)state;
	struct login_facts facts = {.user_known = true,
				    .password_right = true,
				    .role = RT_ROLE_PLAYER,
				    .identity = RT_ID_GATEWAY};
	assert_int_equal(login_decide(&facts), LOGIN_OK);
	facts.role = RT_ROLE_OPERATOR;
	assert_int_equal(login_decide(&facts), LOGIN_WRONG_IDENTITY);
	facts.identity = RT_ID_OPERATOR;
	assert_int_equal(login_decide(&facts), LOGIN_OK);
	facts.password_right = false;
	assert_int_equal(login_decide(&facts), LOGIN_WRONG_PASSWORD);
	facts.user_known = false;
	assert_int_equal(login_decide(&facts), LOGIN_UNKNOWN_USER);
	facts.password_right = true; /* the dummy's password, if ever somebody guessed it */
	assert_int_equal(login_decide(&facts), LOGIN_UNKNOWN_USER);
	assert_string_equal(login_verdict_name(LOGIN_WRONG_IDENTITY), "wrong_identity");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usernames),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_a_refusal_does_not_quote_the_password),
		cmocka_unit_test(test_an_attempt_may_break_the_policy),
		cmocka_unit_test(test_role_names),
		cmocka_unit_test(test_who_may_create_whom),
		cmocka_unit_test(test_who_may_read_whom),
		cmocka_unit_test(test_staff_log_in_with_the_operators_certificate_alone),
		cmocka_unit_test(test_login_verdicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
