/* Valid messages made from their descriptors, as seeds. For tests/fuzz alone. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/* Writes a message in which each field is set, of each oneof the one that `variant` chooses.
 * Returns its length, 0 when it does not fit. */
size_t sample_message(const ProtobufCMessageDescriptor *descriptor, unsigned variant,
		      uint8_t *bytes, size_t size);
