/* Between the contract's messages and the simulator's operations. For rpc and client. */
#pragma once

#include "daler/connector/v1/connector.pb-c.h"
#include "domain/operation.h"

/* An operation's message with the messages that it points to. Texts point into the operation. */
struct message_operation {
	Daler__Connector__V1__Operation message;
	Daler__Connector__V1__RequiredAction action;
	Google__Protobuf__Timestamp created;
	Google__Protobuf__Timestamp updated;
};

void message_operation_fill(struct message_operation *message, const struct operation *operation);

/* A text for a field of a message that is only read from: protobuf-c's structs know no const. */
char *message_text(const char *text);
