/* The table of a payment's states against the proto, the migration and the page in the docs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "daler/payments/v1/payments.pb-c.h"
#include "domain/states.h"
#include "payments_schema.h"

static void same_as_proto(void **state)
{
	const ProtobufCEnumDescriptor *proto = &daler__payments__v1__payment_state__descriptor;

	(void)state;
	assert_int_equal(proto->n_values, PAYMENT_STATE_MAX + 1);
	for (int number = 1; number <= PAYMENT_STATE_MAX; number++) {
		const ProtobufCEnumValue *value =
			protobuf_c_enum_descriptor_get_value(proto, number);
		const char *name = payment_state_name((enum payment_state)number);

		assert_non_null(value);
		assert_int_equal(strncmp(value->name, "PAYMENT_STATE_", 14), 0);
		assert_int_equal(strcasecmp(value->name + 14, name), 0);
		assert_true(payment_state_valid(number));
	}
	assert_false(payment_state_valid(0));
	assert_false(payment_state_valid(PAYMENT_STATE_MAX + 1));
}

/* The numbers between "IN (" after `mark`, and ")". */
static size_t sql_numbers(const char *mark, int *numbers, size_t max)
{
	const char *at = NULL;
	size_t count = 0;

	/* The latest word on it; the first mention in a migration may be that the old one is
	 * dropped. */
	for (size_t i = 0; i < payments_schema.count; i++) {
		for (const char *next = strstr(payments_schema.migrations[i].sql, mark);
		     next != NULL; next = strstr(next + 1, mark))
			at = next;
	}
	assert_non_null(at);
	at = strstr(at, "IN (");
	assert_non_null(at);
	at += 4;
	while (*at != ')') {
		char *end = NULL;
		long number = strtol(at, &end, 10);

		if (end == at) {
			at++;
			continue;
		}
		assert_true(count < max);
		numbers[count++] = (int)number;
		at = end;
	}
	return count;
}

static void same_as_sql(void **state)
{
	int numbers[PAYMENT_STATE_MAX * PAYMENT_STATE_MAX];
	size_t count =
		sql_numbers("payment_events_edge", numbers, sizeof(numbers) / sizeof(numbers[0]));
	size_t open = 0;

	(void)state;
	assert_int_equal(count, payment_edge_count);
	for (size_t i = 0; i < count; i++)
		assert_true(payment_edge_allowed((enum payment_state)(numbers[i] / 100),
						 (enum payment_state)(numbers[i] % 100)));
	count = sql_numbers("payments_open_state", numbers, sizeof(numbers) / sizeof(numbers[0]));
	for (int number = 1; number <= PAYMENT_STATE_MAX; number++)
		open += payment_state_open((enum payment_state)number);
	assert_int_equal(count, open);
	for (size_t i = 0; i < count; i++)
		assert_true(payment_state_open((enum payment_state)numbers[i]));
}

/* What is final stays; what is done can only be given back. */
static void no_way_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < payment_edge_count; i++) {
		enum payment_state from = payment_edges[i].from;
		enum payment_state to = payment_edges[i].to;

		if (from == PAYMENT_NONE)
			continue;
		assert_int_not_equal(payment_state_class(from), PAYMENT_CLASS_FINAL);
		if (payment_state_class(from) == PAYMENT_CLASS_DONE)
			assert_true(to == PAYMENT_PARTLY_REFUNDED || to == PAYMENT_REFUNDED);
	}
}

static char *read_all(FILE *file, size_t *length)
{
	char *text = calloc(1, 1U << 16);

	assert_non_null(text);
	*length = fread(text, 1, (1U << 16) - 1, file);
	fclose(file);
	return text;
}

static void same_as_docs(void **state)
{
	static const char path[] = DALER_SOURCE_DIR "/docs/reference/payment-states.md";
	size_t length = 0;
	char *made = NULL;

	(void)state;
	FILE *file = fopen(path, "r");

	if (file == NULL)
		fail_msg("%s: missing; make it with daler-payments print-states", path);
	char *kept = read_all(file, &length);
	FILE *memory = open_memstream(&made, &length);

	payment_states_print(memory);
	fclose(memory);
	assert_string_equal(kept, made);
	free(kept);
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_proto),
		cmocka_unit_test(same_as_sql),
		cmocka_unit_test(no_way_back),
		cmocka_unit_test(same_as_docs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
