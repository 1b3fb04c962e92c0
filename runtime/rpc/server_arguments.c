#include "rpc/server_arguments.h"

#include <grpc/compression.h>

#include "rpc/keepalive.h"
#include "rpc/tls_read.h"

#define METADATA_BYTES_MAX (INT64_C(16) * 1024)
/* What connections may take for buffers in all; past it, gRPC refuses calls and closes idle
 * connections. */
#define QUOTA_BYTES        ((size_t)512 << 20)
#define HANDSHAKE_MS_MAX   10000
/* A connection must not outlive its certificate for long, and callers must find new replicas. What
 * is in flight has the grace to end; a stream that is longer is begun again by its caller. */
#define CONNECTION_MS_MAX  (INT64_C(30) * 60 * 1000)
#define CONNECTION_MS_ENDS (INT64_C(5) * 60 * 1000)

static grpc_arg integer(const char *key, int64_t value)
{
	union {
		const char *constant;
		char *plain; /* gRPC doesn't write to it */
	} pun = {.constant = key};
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = pun.plain, .value.integer = (int)value};
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	if (value < least)
		return least;
	return value > most ? most : value;
}

grpc_server *rt_server_create_grpc(size_t message_bytes_max, int64_t queue_max)
{
	/* Load is shed by an answer, which one connection must be able to hear. */
	int64_t streams_max = clamp(queue_max + 100, 100, 100000);
	rt_tls_read_watch(streams_max);
	grpc_resource_quota *quota = grpc_resource_quota_create("daler");
	grpc_resource_quota_resize(quota, QUOTA_BYTES);
	grpc_arg quota_arg = integer(GRPC_ARG_RESOURCE_QUOTA, 0);
	quota_arg.type = GRPC_ARG_POINTER;
	quota_arg.value.pointer.p = quota;
	quota_arg.value.pointer.vtable = grpc_resource_quota_arg_vtable();
	grpc_arg args[] = {
		integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
			clamp((int64_t)message_bytes_max, 1, INT32_MAX)),
		/* A megabyte can unpack to a thousand, and gRPC looks at the size when that has
		 * been done: compressed messages are refused. */
		integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
		integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
			1 << GRPC_COMPRESS_NONE),
		integer(GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES_MAX),
		integer(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams_max),
		integer(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_MS_MAX),
		integer(GRPC_ARG_MAX_CONNECTION_AGE_MS, CONNECTION_MS_MAX),
		integer(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, CONNECTION_MS_ENDS),
		integer(GRPC_ARG_KEEPALIVE_TIME_MS, RT_KEEPALIVE_SERVER_MS),
		integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, RT_KEEPALIVE_TIMEOUT_MS),
		integer(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
		integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
		integer(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
			RT_KEEPALIVE_LEAST_MS),
		/* What nobody has asked for yet is not taken in advance. */
		integer(GRPC_ARG_HTTP2_BDP_PROBE, 0),
		/* A taken port is an error, and not a second server behind it. */
		integer(GRPC_ARG_ALLOW_REUSEPORT, 0),
		/* Nor are answers compressed. */
		integer(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
		integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
		quota_arg,
	};
	grpc_channel_args all = {sizeof(args) / sizeof(args[0]), args};
	grpc_server *server = grpc_server_create(&all, NULL);
	grpc_resource_quota_unref(quota);
	return server;
}
