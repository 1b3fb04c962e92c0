#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/secret.h"

static char folder[] = "/tmp/daler-secret-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/secret", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_file(const void *bytes, size_t length)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, length), length);
	close(file);
}

static void expect(const void *bytes, size_t length, const char *secret_text, size_t secret_length)
{
	struct rt_secret secret;
	write_file(bytes, length);
	struct rt_status status = rt_secret_read_file(path, &secret);
	assert_true(rt_is_ok(&status));
	assert_int_equal(secret.length, secret_length);
	assert_memory_equal(rt_secret_bytes(&secret), secret_text, secret_length + 1);
	rt_secret_deinit(&secret);
	assert_int_equal(secret.length, 0);
	assert_string_equal(rt_secret_bytes(&secret), "");
	rt_secret_deinit(&secret);
}

static void test_read(void **state)
{
	(void)state;
	expect("hunter2", 7, "hunter2", 7);
	expect("hunter2\n", 8, "hunter2", 7);
	expect("hunter2\r\n", 9, "hunter2", 7);
	expect("hunter2\n\n", 9, "hunter2\n", 8);
	expect(" with space ", 12, " with space ", 12);
	expect("a\0b", 3, "a\0b", 3);
}

static void expect_refusal(const char *reason)
{
	struct rt_secret secret;
	struct rt_status status = rt_secret_read_file(path, &secret);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, reason);
	assert_null(strstr(status.detail, folder));
	assert_null(strstr(status.detail, "hunter2"));
	assert_int_equal(secret.length, 0);
	rt_secret_deinit(&secret);
}

static void test_refusals(void **state)
{
	(void)state;
	unlink(path);
	expect_refusal("SECRET_UNREADABLE");
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refusal("SECRET_UNREADABLE");
	rmdir(path);
	write_file("", 0);
	expect_refusal("SECRET_EMPTY");
	write_file("\n", 1);
	expect_refusal("SECRET_EMPTY");
	char long_text[16 * 1024 + 1];
	memset(long_text, 'x', sizeof(long_text));
	memcpy(long_text, "hunter2 ", sizeof("hunter2 "));
	long_text[sizeof("hunter2 ") - 1] = 'x';
	write_file(long_text, sizeof(long_text));
	expect_refusal("SECRET_TOO_LONG");
	write_file(long_text, sizeof(long_text) - 1);
	struct rt_secret secret;
	struct rt_status status = rt_secret_read_file(path, &secret);
	assert_true(rt_is_ok(&status));
	assert_int_equal(secret.length, sizeof(long_text) - 1);
	rt_secret_deinit(&secret);
}

static void test_copy(void **state)
{
	(void)state;
	char bytes[] = "token";
	struct rt_secret secret = rt_secret_copy(bytes, 5);
	rt_wipe(bytes, sizeof(bytes));
	assert_memory_equal(bytes, "\0\0\0\0\0\0", 6);
	assert_string_equal(rt_secret_bytes(&secret), "token");
	rt_secret_deinit(&secret);
	secret = rt_secret_copy(NULL, 0);
	assert_string_equal(rt_secret_bytes(&secret), "");
	rt_secret_deinit(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_copy),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
