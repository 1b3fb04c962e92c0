#include "domain/capability.h"

#include <string.h>

#include "rt/money.h"

#define WORD_BYTES 16

/* The next word of a list, cut when too long; false: there is none. */
static bool next_word(const char **list, char word[WORD_BYTES])
{
	size_t length = strcspn(*list, ",");
	size_t kept = length < WORD_BYTES ? length : WORD_BYTES - 1;

	if (**list == '\0')
		return false;
	memcpy(word, *list, kept);
	word[kept] = '\0';
	*list += length + ((*list)[length] == ',');
	return true;
}

static struct rt_status take_operation(const char *word, struct capability *capability)
{
	for (int kind = OPERATION_CHARGE; kind <= OPERATION_REFUND; kind++) {
		if (strcmp(word, operation_kind_name((enum operation_kind)kind)) == 0) {
			capability->operations[kind] = true;
			return rt_ok();
		}
	}
	return RT_BAD_FIELD("INVALID_FIELD", "operations", "charge, payout and refund, not \"%s\"",
			    word);
}

struct rt_status capability_parse(const char *operations, const char *currencies,
				  bool partial_refunds, struct capability *capability)
{
	const struct rt_currency *currency = NULL;
	char word[WORD_BYTES];

	*capability = (struct capability){.partial_refunds = partial_refunds};
	while (next_word(&operations, word))
		RT_TRY(take_operation(word, capability));
	while (next_word(&currencies, word)) {
		RT_TRY(rt_currency_field("currencies", word, &currency));
		if (capability->currency_count == CAPABILITY_CURRENCIES_MAX)
			return RT_BAD_FIELD("INVALID_FIELD", "currencies", "at most %d",
					    CAPABILITY_CURRENCIES_MAX);
		memcpy(capability->currencies[capability->currency_count++], currency->code, 4);
	}
	return rt_ok();
}

struct rt_status capability_check(const struct capability *capability, const struct order *order)
{
	bool takes = capability->currency_count == 0;

	for (size_t i = 0; i < capability->currency_count; i++)
		takes = takes || strcmp(capability->currencies[i], order->currency) == 0;
	if (!capability->operations[order->kind])
		return RT_FAIL(FAILED_PRECONDITION, "OPERATION_UNSUPPORTED", "told not to do a %s",
			       operation_kind_name(order->kind));
	if (!takes)
		return RT_FAIL(FAILED_PRECONDITION, "CURRENCY_UNSUPPORTED", "told not to take %s",
			       order->currency);
	return rt_ok();
}
