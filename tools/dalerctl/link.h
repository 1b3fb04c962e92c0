/* The way to the services: one channel each, made when first used, and patience. For this tool's
 * files. */
#pragma once

#include "command.h"
#include "rt/rpc_client.h"

enum link_target { LINK_AUTH, LINK_ACCOUNTS, LINK_PAYMENTS, LINK_CONNECTOR, LINK_TARGET_COUNT };

/* A method of a service. Every one of them is safe to repeat: a read, or idempotent by what its
 * request carries. */
struct link_method {
	enum link_target target;
	bool anonymous; /* no token is shown */
	struct rt_remote remote;
};

/* A constant `struct link_method`: LINK_METHOD(PAYMENTS, "daler.payments.v1.PaymentsService",
 * "GetPayment", daler__payments__v1__get_payment_response) */
#define LINK_METHOD(where, service_name, method_name, reply_prefix)                                \
	{                                                                                          \
		.target = LINK_##where, .remote = {                                                \
			.service = (service_name),                                                 \
			.name = (method_name),                                                     \
			.reply = &reply_prefix##__descriptor,                                      \
			.repeatable = true                                                         \
		}                                                                                  \
	}

/* One call, repeated while that can help and the time that the command has lasts. Owns: *reply is
 * in the ctl's arena. Errors: the service's; INVALID_ARGUMENT USAGE when an address or a
 * certificate is not set. */
struct rt_status link_call(struct ctl *ctl, const struct link_method *method,
			   const ProtobufCMessage *request, const ProtobufCMessage **reply);
/* One call of a method that streams its replies, which are lent to `message`; not repeated. */
struct rt_status link_stream(struct ctl *ctl, const struct link_method *method,
			     const ProtobufCMessage *request,
			     void (*message)(void *context, const ProtobufCMessage *reply),
			     void *context);
void link_close(struct ctl *ctl);
