/* Page tokens, and where a reader of changes stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "domain/feed.h"
#include "domain/page.h"

static struct rt_page_seal seal_of(const char *list, int64_t filter)
{
	struct rt_digest digest = page_seal_begin(list);

	rt_digest_int(&digest, filter);
	return rt_page_seal_end(&digest);
}

static struct page_place a_place(void)
{
	struct page_place place = {.number = INT64_MIN + 5, .version = -7};

	for (size_t i = 0; i < sizeof(place.id.bytes); i++)
		place.id.bytes[i] = (uint8_t)(251 * i);
	return place;
}

static void test_comes_back_as_it_was(void **state)
{
	const struct page_place places[] = {
		a_place(), {.number = INT64_MAX, .version = INT32_MAX}, {.number = -1}, {0}};
	struct rt_page_seal seal = seal_of("List", 1);

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct page_place back;
		char token[PAGE_TOKEN_BYTES];

		page_token_make(&seal, &places[i], token);
		assert_int_equal(strlen(token), PAGE_TOKEN_BYTES - 1);
		struct rt_status status = page_token_read(&seal, "page_token", token, &back);

		assert_true(rt_is_ok(&status));
		assert_int_equal(feed_place_compare(&places[i], &back), 0);
	}
}

static void assert_refused(const struct rt_page_seal *seal, const char *token)
{
	struct page_place place;
	struct rt_status status = page_token_read(seal, "position", token, &place);

	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, "PAGE_TOKEN_INVALID");
	assert_string_equal(status.field, "position");
}

/* Every character, changed in every bit that is another character. */
static void test_tampering_shows(void **state)
{
	struct rt_page_seal seal = seal_of("List", 1), other = seal_of("List", 2),
			    another = seal_of("Other", 1);
	struct page_place place = a_place();
	char token[PAGE_TOKEN_BYTES];

	(void)state;
	page_token_make(&seal, &place, token);
	assert_refused(&other, token);
	assert_refused(&another, token);
	for (size_t i = 0; i < PAGE_TOKEN_BYTES - 1; i++) {
		char kept = token[i];

		token[i] = kept == 'A' ? 'B' : 'A';
		assert_refused(&seal, token);
		token[i] = '=';
		assert_refused(&seal, token);
		token[i] = '\0';
		assert_refused(&seal, token);
		token[i] = kept;
	}
	assert_refused(&seal, "");
	assert_refused(&seal, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static void test_sizes(void **state)
{
	size_t size = 0;
	struct rt_status status = rt_page_size_check(0, &size);

	(void)state;
	assert_true(rt_is_ok(&status));
	assert_int_equal(size, RT_PAGE_SIZE_DEFAULT);
	status = rt_page_size_check(RT_PAGE_SIZE_MAX, &size);
	assert_int_equal(size, RT_PAGE_SIZE_MAX);
	status = rt_page_size_check(RT_PAGE_SIZE_MAX + 1, &size);
	assert_string_equal(status.field, "page_size");
	status = rt_page_size_check(-1, &size);
	assert_false(rt_is_ok(&status));
}

static struct page_place place_of(int64_t number, uint8_t id, int32_t version)
{
	struct page_place place = {.number = number, .version = version};

	place.id.bytes[15] = id;
	return place;
}

static void test_places_are_in_order(void **state)
{
	const struct page_place order[] = {feed_place_first(), place_of(0, 1, 1), place_of(5, 0, 0),
					   place_of(5, 1, 1),  place_of(5, 1, 2), place_of(5, 2, 1),
					   place_of(6, 1, 3)};
	const size_t count = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			assert_int_equal(feed_place_compare(&order[i], &order[j]),
					 i < j ? -1 : i > j);
}

/* Who has seen all below the horizon has not seen what is at it, and never goes back. */
static void test_horizon(void **state)
{
	struct page_place at = place_of(5, 9, 3);
	struct page_place end = feed_place_at_horizon(&at, 9);
	struct page_place below = place_of(8, 0xff, INT32_MAX), first_at = place_of(9, 1, 1);

	(void)state;
	assert_int_equal(feed_place_compare(&end, &below), 1);
	assert_int_equal(feed_place_compare(&end, &first_at), -1);
	end = feed_place_at_horizon(&at, 5);
	assert_int_equal(feed_place_compare(&end, &at), 0);
	end = feed_place_at_horizon(&at, 3);
	assert_int_equal(feed_place_compare(&end, &at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back_as_it_was),
		cmocka_unit_test(test_tampering_shows),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_places_are_in_order),
		cmocka_unit_test(test_horizon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
