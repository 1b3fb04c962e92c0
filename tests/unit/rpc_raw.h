/* A gRPC client of the library's own kind, for what ours would never send: foreign certificates,
 * malformed bytes, streams. */
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "rpc_fixture.h"

struct raw {
	grpc_completion_queue *queue;
	grpc_channel *channel;
};

struct raw_call {
	struct raw *raw;
	grpc_call *call;
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_status_code code;
	grpc_slice details;
};

static inline bool raw_wait(struct raw *raw, void *tag)
{
	gpr_timespec deadline =
		gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(20, GPR_TIMESPAN));
	grpc_event event = grpc_completion_queue_pluck(raw->queue, tag, deadline, NULL);
	assert_int_equal(event.type, GRPC_OP_COMPLETE);
	return event.success != 0;
}

/* `folder` holds the client's certificate; NULL for none. */
static inline struct raw raw_new(const char *folder, const char *address)
{
	grpc_init();
	char path[PKI_PATH];
	char *roots = pki_read(fixture_path("monitor", path), "ca.crt");
	char *key = folder != NULL ? pki_read(fixture_path(folder, path), "tls.key") : NULL;
	char *chain = folder != NULL ? pki_read(fixture_path(folder, path), "tls.crt") : NULL;
	grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = chain};
	grpc_channel_credentials *credentials =
		grpc_ssl_credentials_create(roots, folder != NULL ? &pair : NULL, NULL, NULL);
	char name_key[] = GRPC_SSL_TARGET_NAME_OVERRIDE_ARG;
	char name[] = "localhost";
	/* So that it takes no more than 64 KiB of what nobody asks for. */
	char probe_key[] = GRPC_ARG_HTTP2_BDP_PROBE;
	grpc_arg list[] = {{.type = GRPC_ARG_STRING, .key = name_key, .value.string = name},
			   {.type = GRPC_ARG_INTEGER, .key = probe_key, .value.integer = 0}};
	grpc_channel_args args = {2, list};
	struct raw raw = {.queue = grpc_completion_queue_create_for_pluck(NULL),
			  .channel = grpc_channel_create(address, credentials, &args)};
	grpc_channel_credentials_release(credentials);
	free(roots);
	free(key);
	free(chain);
	return raw;
}

static inline void raw_free(struct raw *raw)
{
	grpc_channel_destroy(raw->channel);
	grpc_completion_queue_shutdown(raw->queue);
	grpc_completion_queue_destroy(raw->queue);
	grpc_shutdown();
}

static inline void raw_batch(struct raw_call *call, const grpc_op *ops, size_t count)
{
	void *tag = (void *)(uintptr_t)ops;
	assert_int_equal(grpc_call_start_batch(call->call, ops, count, tag, NULL), GRPC_CALL_OK);
	raw_wait(call->raw, tag);
}

static inline struct raw_call raw_open(struct raw *raw, const char *path, int64_t deadline_ms,
				       const char *traceparent)
{
	struct raw_call call = {.raw = raw};
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					     gpr_time_from_millis(deadline_ms, GPR_TIMESPAN));
	grpc_slice method = grpc_slice_from_copied_string(path);
	call.call = grpc_channel_create_call(raw->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
					     raw->queue, method, NULL, deadline, NULL);
	grpc_slice_unref(method);
	grpc_metadata_array_init(&call.initial);
	grpc_metadata_array_init(&call.trailing);
	grpc_metadata metadata = {
		.key = grpc_slice_from_static_string("traceparent"),
		.value = grpc_slice_from_copied_string(traceparent != NULL ? traceparent : "")};
	grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
	op.data.send_initial_metadata.metadata = &metadata;
	op.data.send_initial_metadata.count = traceparent != NULL ? 1 : 0;
	raw_batch(&call, &op, 1);
	grpc_slice_unref(metadata.value);
	return call;
}

static inline void raw_send_bytes(struct raw_call *call, const void *bytes, size_t length)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(bytes, length);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
	op.data.send_message.send_message = buffer;
	raw_batch(call, &op, 1);
	grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(slice);
}

static inline void raw_send(struct raw_call *call, const ProtobufCMessage *message)
{
	uint8_t bytes[4096];
	assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(bytes));
	raw_send_bytes(call, bytes, protobuf_c_message_pack(message, bytes));
}

static inline void raw_half_close(struct raw_call *call)
{
	grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
	raw_batch(call, &op, 1);
}

static inline void raw_receive_headers(struct raw_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};
	op.data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	raw_batch(call, &op, 1);
}

/* The next message, or NULL. Owns: the caller frees with protobuf_c_message_free_unpacked. */
static inline ProtobufCMessage *raw_receive(struct raw_call *call,
					    const ProtobufCMessageDescriptor *descriptor)
{
	grpc_byte_buffer *buffer = NULL;
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	op.data.recv_message.recv_message = &buffer;
	raw_batch(call, &op, 1);
	if (buffer == NULL)
		return NULL;
	assert_int_equal(buffer->type, GRPC_BB_RAW);
	size_t length = grpc_byte_buffer_length(buffer);
	uint8_t *bytes = malloc(length + 1);
	size_t at = 0;
	for (size_t i = 0; i < buffer->data.raw.slice_buffer.count; i++) {
		grpc_slice slice = buffer->data.raw.slice_buffer.slices[i];
		memcpy(bytes + at, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
		at += GRPC_SLICE_LENGTH(slice);
	}
	ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, length, bytes);
	assert_non_null(message);
	free(bytes);
	grpc_byte_buffer_destroy(buffer);
	return message;
}

static inline void raw_skip(struct raw_call *call)
{
	grpc_byte_buffer *buffer = NULL;
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	op.data.recv_message.recv_message = &buffer;
	raw_batch(call, &op, 1);
	grpc_byte_buffer_destroy(buffer);
}

/* Waits for the status, and frees the call. */
static inline grpc_status_code raw_finish(struct raw_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
	op.data.recv_status_on_client.trailing_metadata = &call->trailing;
	op.data.recv_status_on_client.status = &call->code;
	op.data.recv_status_on_client.status_details = &call->details;
	raw_batch(call, &op, 1);
	grpc_slice_unref(call->details);
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_call_unref(call->call);
	return call->code;
}

/* A unary call with these bytes for a request; nothing of the reply is read but the status. */
static inline grpc_status_code raw_unary(struct raw *raw, const char *path, const void *bytes,
					 size_t length)
{
	struct raw_call call = raw_open(raw, path, 5000, NULL);
	raw_send_bytes(&call, bytes, length);
	raw_half_close(&call);
	raw_receive_headers(&call);
	raw_skip(&call);
	return raw_finish(&call);
}
