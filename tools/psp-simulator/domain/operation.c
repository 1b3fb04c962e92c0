#include "domain/operation.h"

#include <string.h>

#include "rt/money.h"
#include "rt/text.h"

#define REFERENCE_CHARACTERS_MAX  64
#define INSTRUMENT_CHARACTERS_MAX 256

const char *operation_kind_name(enum operation_kind kind)
{
	static const char *const names[] = {
		[OPERATION_CHARGE] = "charge",
		[OPERATION_PAYOUT] = "payout",
		[OPERATION_REFUND] = "refund",
	};

	return names[kind];
}

const char *operation_status_name(enum operation_status status)
{
	static const char *const names[] = {
		[OPERATION_PENDING] = "pending",
		[OPERATION_SUCCEEDED] = "succeeded",
		[OPERATION_DECLINED] = "declined",
		[OPERATION_REQUIRES_ACTION] = "requires_action",
		[OPERATION_AUTHORIZED] = "authorized",
		[OPERATION_CANCELED] = "canceled",
	};

	return names[status];
}

struct rt_status reference_check(const char *reference)
{
	return rt_text_field("reference", reference, 1, REFERENCE_CHARACTERS_MAX);
}

struct rt_status order_check(const struct order *order)
{
	const struct rt_currency *currency;

	RT_TRY(reference_check(order->reference));
	if (order->kind == OPERATION_REFUND)
		RT_TRY(rt_text_field("original_reference", order->original, 1,
				     REFERENCE_CHARACTERS_MAX));
	if (order->amount_minor <= 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be more than 0");
	RT_TRY(rt_currency_field("currency", order->currency, &currency));
	return rt_text_field("instrument", order->instrument, 0, INSTRUMENT_CHARACTERS_MAX);
}

bool order_same(const struct order *a, const struct order *b)
{
	return a->kind == b->kind && a->amount_minor == b->amount_minor &&
	       strcmp(a->reference, b->reference) == 0 && strcmp(a->currency, b->currency) == 0 &&
	       strcmp(a->instrument, b->instrument) == 0 && strcmp(a->original, b->original) == 0;
}
