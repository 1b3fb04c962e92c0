/* See connector_capabilities.h. */
#include "client/connector_capabilities.h"

#include <stdlib.h>
#include <string.h>

#include "daler/connector/v1/connector.pb-c.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/text.h"

typedef Daler__Connector__V1__GetCapabilitiesResponse response;

static const struct rt_remote get_capabilities = {
	"daler.connector.v1.ConnectorService", "GetCapabilities",
	&daler__connector__v1__get_capabilities_response__descriptor, true, NULL};

/* A call in flight. */
struct telling {
	const char *connector;
	connector_told done;
	void *context;
};

static enum provider_operation operation_of(int kind)
{
	switch (kind) {
	case DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_CHARGE:
		return PROVIDER_AUTHORIZE;
	case DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_PAYOUT:
		return PROVIDER_PAYOUT;
	case DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_REFUND:
		return PROVIDER_REFUND;
	default:
		return PROVIDER_NONE; /* of a later contract */
	}
}

/* One that makes no sense puts the whole answer in doubt. */
static bool take_currencies(const response *reply, struct connector_capabilities *capabilities)
{
	if (reply->n_currencies > CAPABILITY_CURRENCIES_MAX)
		return false;
	for (size_t i = 0; i < reply->n_currencies; i++) {
		if (strlen(reply->currencies[i]) != 3)
			return false;
		memcpy(capabilities->currencies[i], reply->currencies[i], 4);
	}
	capabilities->currency_count = reply->n_currencies;
	return true;
}

static void take_name(const response *reply, struct connector_capabilities *capabilities)
{
	size_t length = strnlen(reply->name, CAPABILITY_NAME_BYTES - 1);

	memcpy(capabilities->name, reply->name, length);
	rt_text_tidy(capabilities->name);
}

static void take(const response *reply, struct connector_capabilities *capabilities)
{
	for (size_t i = 0; i < reply->n_operations; i++)
		capabilities->operations[operation_of((int)reply->operations[i])] = true;
	capabilities->operations[PROVIDER_NONE] = false;
	for (int i = PROVIDER_AUTHORIZE; i <= PROVIDER_REFUND; i++)
		capabilities->known = capabilities->known || capabilities->operations[i];
	capabilities->known = take_currencies(reply, capabilities) && capabilities->known;
	capabilities->partial_refunds = reply->partial_refunds;
	take_name(reply, capabilities);
}

static void on_told(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct telling *telling = context;
	struct connector_capabilities capabilities = {0};

	if (rt_is_ok(&status) && message != NULL) {
		take((const void *)message, &capabilities);
		if (!capabilities.known)
			RT_LOG(WARN, "connector_capabilities_senseless",
			       RT_TEXT("connector", telling->connector),
			       RT_TEXT("name", capabilities.name));
	}
	telling->done(telling->context, status, &capabilities);
	free(telling);
}

void connector_tell(const struct connector_client *client, connector_told done, void *context)
{
	Daler__Connector__V1__GetCapabilitiesRequest request;
	daler__connector__v1__get_capabilities_request__init(&request);
	struct telling *telling = malloc(sizeof(*telling));
	struct rt_call_options options = {.deadline_mono_us = rt_clock_mono_us() +
							      client->timeout_ms * RT_US_PER_MS};

	RT_ASSERT(telling != NULL);
	*telling = (struct telling){client->name, done, context};
	rt_channel_start(client->channel, &get_capabilities, &request.base, &options, on_told,
			 telling);
}
