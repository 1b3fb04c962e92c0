/* See connector_report.h. */
#include "client/connector_report.h"

#include <stdio.h>
#include <string.h>

#include "rt/cleanup.h"
#include "rt/clock.h"

#define PAGE_OPERATIONS 1000
#define PAGE_BYTES      ((size_t)8 << 20)
#define TOKEN_BYTES     1024

static const struct rt_remote list_operations = {
	"daler.connector.v1.ConnectorService", "ListOperations",
	&daler__connector__v1__list_operations_response__descriptor, true, NULL};

/* One page; token is then that of the next one, or empty. */
static struct rt_status list_page(const struct connector_client *client,
				  const struct rt_call_options *options, char token[TOKEN_BYTES],
				  connector_listed listed, void *context)
{
	Daler__Connector__V1__ListOperationsRequest request;
	const ProtobufCMessage *answer = NULL;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;

	rt_arena_init(&arena, PAGE_BYTES);
	daler__connector__v1__list_operations_request__init(&request);
	request.page_size = PAGE_OPERATIONS;
	request.page_token = token;
	RT_TRY(rt_channel_call(client->channel, &list_operations, &request.base, options, &arena,
			       &answer));
	const Daler__Connector__V1__ListOperationsResponse *reply = (const void *)answer;

	for (size_t i = 0; i < reply->n_operations; i++) {
		if (!listed(context, reply->operations[i])) {
			token[0] = '\0';
			return rt_ok();
		}
	}
	if (strlen(reply->next_page_token) >= TOKEN_BYTES)
		return RT_FAIL(UNAVAILABLE, "CONNECTOR_ERROR", "the connector's token is too long");
	memcpy(token, reply->next_page_token, strlen(reply->next_page_token) + 1);
	return rt_ok();
}

struct rt_status connector_list(const struct connector_client *client,
				const struct rt_call_options *options, connector_listed listed,
				void *context)
{
	char token[TOKEN_BYTES] = "";

	do {
		RT_TRY(list_page(client, options, token, listed, context));
	} while (token[0] != '\0');
	return rt_ok();
}
