/* The limits that a gRPC server is made with. For server.c. */
#pragma once

#include <grpc/grpc.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the server, not yet listening. */
grpc_server *rt_server_create_grpc(size_t message_bytes_max, int64_t queue_max);
