#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt/signature.h"

#define NOW INT64_C(1790000000)

static const char old_key[] = "0123456789abcdef0123456789abcdef";
static const char new_key[] = "fedcba9876543210fedcba9876543210";

static struct rt_signature_keys keys_of(const char *one, const char *other)
{
	struct rt_signature_keys keys = {.count = other == NULL ? 1 : 2};

	keys.keys[0] = rt_secret_copy(one, strlen(one));
	if (other != NULL)
		keys.keys[1] = rt_secret_copy(other, strlen(other));
	return keys;
}

static struct rt_status check(const struct rt_signature_keys *keys, const char *with,
			      int64_t time_s, const char *text, int64_t now_s)
{
	struct rt_signature_keys signer = keys_of(with, NULL);
	uint8_t signature[RT_SIGNATURE_BYTES];

	rt_signature_make(&signer.keys[0], time_s, text, strlen(text), signature);
	rt_signature_keys_deinit(&signer);
	const struct rt_signed given = {time_s, text, strlen(text), signature, sizeof(signature)};

	return rt_signature_check(keys, &given, now_s);
}

static void assert_reason(struct rt_status status, const char *reason)
{
	assert_int_equal(status.code, RT_UNAUTHENTICATED);
	assert_string_equal(status.reason, reason);
}

/* printf %s '1790000000.body' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef */
static void test_is_hmac_over_time_and_bytes(void **state)
{
	static const uint8_t expected[RT_SIGNATURE_BYTES] = {
		0xc3, 0x85, 0xe1, 0x6b, 0xdc, 0x08, 0x88, 0x16, 0x17, 0x3a, 0xc8,
		0xc5, 0x3c, 0x27, 0xe5, 0xc3, 0x55, 0x28, 0xc5, 0xc9, 0x8a, 0xe8,
		0xa5, 0x1f, 0x7c, 0x95, 0x5d, 0x07, 0x85, 0x73, 0xfd, 0xb5};
	struct rt_signature_keys keys = keys_of(old_key, NULL);
	uint8_t signature[RT_SIGNATURE_BYTES];

	(void)state;
	rt_signature_make(&keys.keys[0], NOW, "body", 4, signature);
	assert_memory_equal(signature, expected, sizeof(expected));
	rt_signature_keys_deinit(&keys);
}

static void test_both_keys_are_valid_at_once(void **state)
{
	struct rt_signature_keys both = keys_of(old_key, new_key), one = keys_of(old_key, NULL);
	struct rt_status status = check(&both, old_key, NOW, "body", NOW);

	(void)state;
	assert_true(rt_is_ok(&status));
	status = check(&both, new_key, NOW, "body", NOW);
	assert_true(rt_is_ok(&status));
	assert_reason(check(&one, new_key, NOW, "body", NOW), "SIGNATURE_INVALID");
	assert_reason(check(&both, "another key, which nobody has....", NOW, "body", NOW),
		      "SIGNATURE_INVALID");
	rt_signature_keys_deinit(&both);
	rt_signature_keys_deinit(&one);
}

static void test_five_minutes_either_way(void **state)
{
	struct rt_signature_keys keys = keys_of(old_key, NULL);

	(void)state;
	for (int64_t sign = -1; sign <= 1; sign += 2) {
		struct rt_status status = check(&keys, old_key, NOW + sign * 300, "body", NOW);

		assert_true(rt_is_ok(&status));
		assert_reason(check(&keys, old_key, NOW + sign * 301, "body", NOW),
			      "SIGNATURE_STALE");
	}
	assert_reason(check(&keys, old_key, INT64_MIN, "body", NOW), "SIGNATURE_STALE");
	assert_reason(check(&keys, old_key, INT64_MAX, "body", -NOW), "SIGNATURE_STALE");
	rt_signature_keys_deinit(&keys);
}

/* Neither a bit, nor the place of the full stop, nor the length. */
static void test_anything_else_is_forged(void **state)
{
	struct rt_signature_keys keys = keys_of(old_key, NULL);
	uint8_t signature[RT_SIGNATURE_BYTES];
	struct rt_signed given = {NOW, "body", 4, signature, sizeof(signature)};

	(void)state;
	rt_signature_make(&keys.keys[0], NOW, "body", 4, signature);
	struct rt_status status = rt_signature_check(&keys, &given, NOW);

	assert_true(rt_is_ok(&status));
	for (size_t bit = 0; bit < sizeof(signature) * 8; bit++) {
		signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_reason(rt_signature_check(&keys, &given, NOW), "SIGNATURE_INVALID");
		signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t length = 0; length < sizeof(signature); length++) {
		given.signature_length = length;
		assert_reason(rt_signature_check(&keys, &given, NOW), "SIGNATURE_INVALID");
	}
	given.signature_length = sizeof(signature);
	given.bytes = "0.body";
	given.length = 6;
	given.time_s = NOW / 10;
	assert_reason(rt_signature_check(&keys, &given, NOW), "SIGNATURE_INVALID");
	rt_signature_keys_deinit(&keys);
}

static void test_no_key_is_no_signature(void **state)
{
	const struct rt_signature_keys none = {0};

	(void)state;
	assert_reason(check(&none, old_key, NOW, "body", NOW), "SIGNATURE_INVALID");
}

static void test_keys_from_files(void **state)
{
	char path[] = "/tmp/daler-signature-XXXXXX";
	struct rt_signature_keys keys;
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(write(file, old_key, sizeof(old_key) - 1), sizeof(old_key) - 1);
	struct rt_status status = rt_signature_keys_read(path, "", &keys);

	assert_true(rt_is_ok(&status));
	assert_int_equal(keys.count, 1);
	rt_signature_keys_deinit(&keys);
	status = rt_signature_keys_read(path, path, &keys);
	assert_true(rt_is_ok(&status));
	assert_int_equal(keys.count, 2);
	rt_signature_keys_deinit(&keys);
	assert_int_equal(ftruncate(file, 31), 0);
	status = rt_signature_keys_read(path, "", &keys);
	assert_string_equal(status.reason, "SECRET_TOO_SHORT");
	assert_int_equal(keys.count, 0);
	status = rt_signature_keys_read("/nowhere", "", &keys);
	assert_string_equal(status.reason, "SECRET_UNREADABLE");
	close(file);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_hmac_over_time_and_bytes),
		cmocka_unit_test(test_both_keys_are_valid_at_once),
		cmocka_unit_test(test_five_minutes_either_way),
		cmocka_unit_test(test_anything_else_is_forged),
		cmocka_unit_test(test_no_key_is_no_signature),
		cmocka_unit_test(test_keys_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
