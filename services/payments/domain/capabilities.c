#include "domain/capabilities.h"

#include <string.h>

#include "domain/request.h"

static bool takes_currency(const struct connector_capabilities *capabilities, const char *currency)
{
	for (size_t i = 0; i < capabilities->currency_count; i++) {
		if (strcmp(capabilities->currencies[i], currency) == 0)
			return true;
	}
	return capabilities->currency_count == 0;
}

struct rt_status capabilities_check(const struct connector_capabilities *capabilities,
				    const struct payment_request *request, int64_t original_minor)
{
	const struct saga_step *step = saga_plan_of(request->kind)->submit;

	if (!capabilities->known || step == NULL || step->party != PARTY_PROVIDER)
		return rt_ok();
	if (!capabilities->operations[step->operation])
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "OPERATION_UNSUPPORTED",
					       "the connector does not do this kind of payment"),
				       payment_connector_field(request->kind));
	if (!takes_currency(capabilities, request->currency))
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "CURRENCY_UNSUPPORTED",
					       "the connector does not take this currency"),
				       "currency");
	if (request->kind == PAYMENT_REFUND && !capabilities->partial_refunds &&
	    request->amount_minor < original_minor)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "AMOUNT_UNSUPPORTED",
					       "the connector gives back the whole amount only"),
				       "amount_minor");
	return rt_ok();
}

bool capabilities_same(const struct connector_capabilities *one,
		       const struct connector_capabilities *other)
{
	return one->known == other->known && one->partial_refunds == other->partial_refunds &&
	       memcmp(one->operations, other->operations, sizeof(one->operations)) == 0 &&
	       one->currency_count == other->currency_count &&
	       memcmp(one->currencies, other->currencies, one->currency_count * 4) == 0 &&
	       strcmp(one->name, other->name) == 0;
}
