/* Any message as JSON. For show.c. */
#pragma once

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

/* By the message's descriptor: names as in the .proto, every scalar written even when it is zero,
 * absent messages and unset oneofs left out, 64-bit integers as strings, enums by name, timestamps
 * as RFC 3339. Owns: a new reference. Source: https://protobuf.dev/programming-guides/json/ */
json_t *json_message(const ProtobufCMessage *message);
