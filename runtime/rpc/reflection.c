#include "rpc/reflection.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc/descriptors.h"
#include "rpc/server_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt_descriptors.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest request_message;
typedef Grpc__Reflection__V1__ServerReflectionResponse response_message;

#define NOT_FOUND_CODE     5
#define UNIMPLEMENTED_CODE 12

/* People look around for as long as they like, but not for ever. */
#define DEADLINE_MS        (INT64_C(10) * 60 * 1000)

/* Names of files and symbols; each answer quotes its question. */
#define REQUEST_BYTES_MAX  4096

struct rt_reflection {
	struct rt_files files;
	const char *services[RT_FILES_MAX];
	size_t service_count;
};

static void *arena_array(struct rt_call *call, size_t count, size_t size_bytes)
{
	return rt_arena_array(rt_call_arena(call), count, size_bytes);
}

static void answer_error(struct rt_call *call, response_message *response, int code,
			 const char *text)
{
	Grpc__Reflection__V1__ErrorResponse *error = arena_array(call, 1, sizeof(*error));
	char *message = rt_arena_strdup(rt_call_arena(call), text);
	if (error == NULL || message == NULL)
		return;
	*error = (Grpc__Reflection__V1__ErrorResponse)GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
	error->error_code = code;
	error->error_message = message;
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
	response->error_response = error;
}

/* The embedded bytes are constant, and packing only reads them. */
static uint8_t *mutable_bytes(const uint8_t *bytes)
{
	union {
		const uint8_t *constant;
		uint8_t *plain;
	} pun = {.constant = bytes};
	return pun.plain;
}

static void answer_file(struct rt_call *call, response_message *response, int file)
{
	if (file < 0) {
		answer_error(call, response, NOT_FOUND_CODE, "not found");
		return;
	}
	const struct rt_files *files = &call->server->reflection->files;
	int closure[RT_FILES_MAX];
	size_t count = rt_files_closure(files, file, closure);
	Grpc__Reflection__V1__FileDescriptorResponse *found = arena_array(call, 1, sizeof(*found));
	ProtobufCBinaryData *protos = arena_array(call, count, sizeof(*protos));
	if (found == NULL || protos == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct rt_file *one = &files->files[closure[i]];
		protos[i] = (ProtobufCBinaryData){one->length, mutable_bytes(one->bytes)};
	}
	*found = (Grpc__Reflection__V1__FileDescriptorResponse)
		GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
	found->n_file_descriptor_proto = count;
	found->file_descriptor_proto = protos;
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
	response->file_descriptor_response = found;
}

static void answer_services(struct rt_call *call, response_message *response)
{
	const struct rt_reflection *reflection = call->server->reflection;
	size_t count = reflection->service_count;
	Grpc__Reflection__V1__ListServiceResponse *list = arena_array(call, 1, sizeof(*list));
	Grpc__Reflection__V1__ServiceResponse *services =
		arena_array(call, count, sizeof(*services));
	Grpc__Reflection__V1__ServiceResponse **pointers = arena_array(call, count, sizeof(void *));
	if (list == NULL || services == NULL || pointers == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		services[i] = (Grpc__Reflection__V1__ServiceResponse)
			GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
		services[i].name = rt_arena_strdup(rt_call_arena(call), reflection->services[i]);
		if (services[i].name == NULL)
			return;
		pointers[i] = &services[i];
	}
	*list = (Grpc__Reflection__V1__ListServiceResponse)
		GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
	list->n_service = count;
	list->service = pointers;
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
	response->list_services_response = list;
}

/* proto3 has no extensions: every known type has none. */
static void answer_extensions(struct rt_call *call, response_message *response, const char *type)
{
	Grpc__Reflection__V1__ExtensionNumberResponse *numbers =
		arena_array(call, 1, sizeof(*numbers));
	if (numbers == NULL)
		return;
	if (rt_files_by_symbol(&call->server->reflection->files, type) < 0) {
		answer_error(call, response, NOT_FOUND_CODE, "no such type");
		return;
	}
	*numbers = (Grpc__Reflection__V1__ExtensionNumberResponse)
		GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;
	numbers->base_type_name = rt_arena_strdup(rt_call_arena(call), type);
	if (numbers->base_type_name == NULL)
		return;
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
	response->all_extension_numbers_response = numbers;
}

static void answer(struct rt_call *call, const request_message *request, response_message *response)
{
	const struct rt_files *files = &call->server->reflection->files;
	switch (request->message_request_case) {
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
		answer_file(call, response,
			    rt_files_by_name(files, request->file_by_filename,
					     strlen(request->file_by_filename)));
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
		answer_file(call, response,
			    rt_files_by_symbol(files, request->file_containing_symbol));
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
		answer_error(call, response, NOT_FOUND_CODE, "there are no extensions");
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
		answer_extensions(call, response, request->all_extension_numbers_of_type);
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
		answer_services(call, response);
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
	case _GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__CASE_IS_INT_SIZE:
		answer_error(call, response, UNIMPLEMENTED_CODE, "nothing that is known was asked");
		break;
	}
}

static void reflect(struct rt_call *call)
{
	const ProtobufCMessage *message = rt_call_request(call);
	if (message == NULL) {
		rt_call_end(call, rt_ok(), NULL);
		return;
	}
	if (protobuf_c_message_get_packed_size(message) > REQUEST_BYTES_MAX) {
		rt_call_end(call,
			    RT_FAIL(RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
				    "the request has more than %d bytes", REQUEST_BYTES_MAX),
			    NULL);
		return;
	}
	union {
		const ProtobufCMessage *base;
		request_message *request; /* the reply quotes it, and doesn't change it */
	} pun = {.base = message};
	response_message response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
	response.valid_host = pun.request->host;
	response.original_request = pun.request;
	answer(call, pun.request, &response);
	struct rt_status status = rt_call_send(call, &response.base);
	if (rt_is_ok(&status))
		rt_call_next(call);
	else
		rt_call_end(call, status, NULL);
}

/* v1 and v1alpha have the same messages on the wire. */
#define REFLECTION_METHOD(version)                                                                 \
	{                                                                                          \
		.service = "grpc.reflection." version ".ServerReflection",                         \
		.name = "ServerReflectionInfo", .kind = RT_BIDI_STREAM, .run = RT_RUN_INLINE,      \
		.request = &grpc__reflection__v1__server_reflection_request__descriptor,           \
		.reply = &grpc__reflection__v1__server_reflection_response__descriptor,            \
		.handler = reflect, .callers = RT_ALLOW(OPERATOR, RT_ROLE_NONE),                   \
		.deadline_ms_max = DEADLINE_MS                                                     \
	}

const struct rt_method *rt_reflection_methods(size_t *count)
{
	static const struct rt_method methods[] = {REFLECTION_METHOD("v1"),
						   REFLECTION_METHOD("v1alpha")};
	*count = sizeof(methods) / sizeof(methods[0]);
	return methods;
}

static void add_service(struct rt_reflection *reflection, const char *service)
{
	for (size_t i = 0; i < reflection->service_count; i++) {
		if (strcmp(reflection->services[i], service) == 0)
			return;
	}
	RT_ASSERT(reflection->service_count < RT_FILES_MAX);
	reflection->services[reflection->service_count++] = service;
}

struct rt_reflection *rt_reflection_new(struct rt_server *server)
{
	struct rt_reflection *reflection = calloc(1, sizeof(*reflection));
	RT_ASSERT(reflection != NULL);
	bool readable = rt_files_read(rt_descriptors, rt_descriptors_size, &reflection->files);
	RT_ASSERT(readable);
	for (size_t i = 0; i < server->served_count; i++)
		add_service(reflection, server->served[i].method->service);
	return reflection;
}

void rt_reflection_destroy(struct rt_reflection *reflection)
{
	free(reflection);
}
