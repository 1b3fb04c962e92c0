/* Argon2id hashes, and the pool that makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>

#include "engine/hash_pool.h"
#include "engine/hasher.h"
#include "rt/clock.h"

static const struct hash_cost cheap = {.memory_kib = 64, .passes = 1, .lanes = 1};
static const struct hash_cost usual = {.memory_kib = 19456, .passes = 2, .lanes = 1};

static bool verify(const char *hash, const char *password)
{
	bool right = false;
	assert_int_equal(hasher_verify(hash, password, strlen(password), &right).code, RT_OK);
	return right;
}

static void test_a_hash_verifies_its_password_only(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_TEXT_BYTES];
	assert_int_equal(hasher_make(&usual, "correct horse", 13, hash).code, RT_OK);
	assert_true(verify(hash, "correct horse"));
	assert_false(verify(hash, "correct horsf"));
	assert_false(verify(hash, "correct hors"));
	assert_false(verify(hash, ""));
}

static void test_the_form_is_phc_with_its_cost(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_TEXT_BYTES], again[PASSWORD_HASH_TEXT_BYTES];
	assert_int_equal(hasher_make(&usual, "correct horse", 13, hash).code, RT_OK);
	assert_int_equal(hasher_make(&usual, "correct horse", 13, again).code, RT_OK);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_string_not_equal(hash, again); /* salted */
	assert_null(strstr(hash, "correct"));
}

/* A known answer of the reference implementation (-id -t 2 -k 256 -p 1), besides our own. */
static void test_a_hash_of_another_cost_verifies(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_TEXT_BYTES];
	assert_int_equal(hasher_make(&cheap, "password", 8, hash).code, RT_OK);
	assert_true(verify(hash, "password"));
	assert_true(verify("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
			   "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
			   "password"));
}

static void test_a_malformed_hash_is_an_error_and_never_right(void **state)
{
	(void)state;
	static const char *const malformed[] = {"", "x", "$argon2id$",
						"$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA",
						"$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$AAAAAAAA"};
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		bool right = true;
		struct rt_status status = hasher_verify(malformed[i], "password", 8, &right);
		assert_int_equal(status.code, RT_INTERNAL);
		assert_false(right);
	}
}

/* A job that waits until the test lets it go. */
struct gated {
	struct hash_job job;
	atomic_bool *gate;
	atomic_int *ran;
};

static void run_gated(struct hash_job *job, struct rt_pg *pg)
{
	struct gated *gated = (struct gated *)job;
	assert_non_null(pg);
	while (!atomic_load(gated->gate))
		rt_clock_sleep_us(1000);
	atomic_fetch_add(gated->ran, 1);
}

static void test_the_pool_is_bounded_and_runs_what_it_took(void **state)
{
	(void)state;
	const struct hash_pool_config config = {.pg = {.conninfo = "host=127.0.0.1 port=1"},
						.threads = 2,
						.queue_max = 4,
						.job_us = 20000};
	struct hash_pool *pool;
	struct gated jobs[16];
	struct rt_status refusal = rt_ok();
	atomic_bool gate = false;
	atomic_int ran = 0;
	int taken = 0;

	assert_int_equal(hash_pool_new(&config, &pool).code, RT_OK);
	for (int i = 0; i < 16; i++) {
		jobs[i] = (struct gated){.job.run = run_gated, .gate = &gate, .ran = &ran};
		struct rt_status status = hash_pool_submit(pool, &jobs[i].job);
		if (rt_is_ok(&status))
			taken++;
		else
			refusal = status;
	}
	assert_in_range(taken, 4, 6); /* the queue, and what the threads hold */
	assert_int_equal(refusal.code, RT_RESOURCE_EXHAUSTED);
	assert_string_equal(refusal.reason, "OVERLOADED");
	assert_in_range(refusal.retry_after_ms, 20, 100);
	atomic_store(&gate, true);
	hash_pool_destroy(pool);
	assert_int_equal(atomic_load(&ran), taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_hash_verifies_its_password_only),
		cmocka_unit_test(test_the_form_is_phc_with_its_cost),
		cmocka_unit_test(test_a_hash_of_another_cost_verifies),
		cmocka_unit_test(test_a_malformed_hash_is_an_error_and_never_right),
		cmocka_unit_test(test_the_pool_is_bounded_and_runs_what_it_took),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
