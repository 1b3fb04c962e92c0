/* Every request of all services: unpacked as a server unpacks it, within the memory that it may
 * have, and the same again when it is packed and unpacked once more. The first byte chooses the
 * message. */
#include <stdlib.h>
#include <string.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "daler/auth/v1/auth.pb-c.h"
#include "daler/connector/v1/connector.pb-c.h"
#include "daler/payments/v1/limits.pb-c.h"
#include "daler/payments/v1/operations.pb-c.h"
#include "daler/payments/v1/payments.pb-c.h"
#include "fuzz.h"
#include "rpc/message.h"
#include "rpc/wire.h"
#include "rt/assert.h"
#include "rt/text.h"
#include "sample.h"

#define ARENA_BYTES ((size_t)4 << 20)
#define VARIANTS    6

static const ProtobufCServiceDescriptor *const services[] = {
	&daler__accounts__v1__accounts_service__descriptor,
	&daler__auth__v1__auth_service__descriptor,
	&daler__payments__v1__payments_service__descriptor,
	&daler__payments__v1__limits_service__descriptor,
	&daler__payments__v1__operations_service__descriptor,
	&daler__connector__v1__connector_service__descriptor,
	&daler__connector__v1__notification_service__descriptor,
};

/* The request of method `number` of all; NULL when there are not so many. */
static const ProtobufCMessageDescriptor *request_of(unsigned number)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (number < services[i]->n_methods)
			return services[i]->methods[number].input;
		number -= services[i]->n_methods;
	}
	return NULL;
}

static uint8_t *pack(const ProtobufCMessage *message, size_t *length)
{
	*length = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(*length + 1);
	RT_ASSERT(bytes != NULL);
	RT_ASSERT(protobuf_c_message_pack(message, bytes) == *length);
	return bytes;
}

static void check_again(const ProtobufCMessageDescriptor *descriptor,
			const ProtobufCMessage *message)
{
	struct rt_arena arena;
	size_t length, again_length;
	const ProtobufCMessage *again;
	rt_arena_init(&arena, 16 * ARENA_BYTES);
	uint8_t *packed = pack(message, &length);
	struct rt_status status = rt_message_unpack(descriptor, packed, length, &arena, &again);
	RT_ASSERT(rt_is_ok(&status));
	uint8_t *packed_again = pack(again, &again_length);
	RT_ASSERT(length == again_length);
	RT_ASSERT(memcmp(packed, packed_again, length) == 0);
	free(packed);
	free(packed_again);
	rt_arena_deinit(&arena);
}

/* What got through has no text, here at least on its first level, that a C string would end early
 * or that is not UTF-8. */
static void check_texts(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
			size_t length)
{
	struct rt_wire wire = rt_wire_of(bytes, length);
	struct rt_wire_field field;
	while (rt_wire_next(&wire, &field)) {
		const ProtobufCFieldDescriptor *known =
			protobuf_c_message_descriptor_get_field(descriptor, field.number);
		if (known == NULL || known->type != PROTOBUF_C_TYPE_STRING ||
		    field.type != RT_WIRE_BYTES)
			continue;
		RT_ASSERT(memchr(field.bytes, 0, field.length) == NULL);
		RT_ASSERT(rt_text_is_utf8((const char *)field.bytes, field.length));
	}
	RT_ASSERT(!wire.malformed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const ProtobufCMessageDescriptor *descriptor = length == 0 ? NULL : request_of(bytes[0]);
	struct rt_arena arena;
	const ProtobufCMessage *message = NULL;
	if (descriptor == NULL)
		return 0;
	rt_arena_init(&arena, ARENA_BYTES);
	struct rt_status status =
		rt_message_unpack(descriptor, bytes + 1, length - 1, &arena, &message);
	RT_ASSERT(arena.used_bytes <= arena.limit_bytes);
	RT_ASSERT(rt_is_ok(&status) || status.reason != NULL);
	if (rt_is_ok(&status))
		check_texts(descriptor, bytes + 1, length - 1);
	if (rt_is_ok(&status))
		check_again(descriptor, message);
	rt_arena_deinit(&arena);
	return 0;
}

size_t fuzz_seed(size_t index, uint8_t *bytes, size_t size)
{
	const ProtobufCMessageDescriptor *descriptor = request_of((unsigned)(index / VARIANTS));
	if (descriptor == NULL)
		return 0;
	bytes[0] = (uint8_t)(index / VARIANTS);
	return 1 + sample_message(descriptor, (unsigned)(index % VARIANTS), bytes + 1, size - 1);
}
