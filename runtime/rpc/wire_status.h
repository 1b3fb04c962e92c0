/* struct rt_status to and from google.rpc.Status, the value of `grpc-status-details-bin`. Pure but
 * for the table of reasons that have been received. Source: https://google.aip.dev/193 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rt/status.h"
#include "rt/trace.h"

#define RT_WIRE_STATUS_BYTES_MAX 1024
#define RT_WIRE_MESSAGE_BYTES    160

/* What a caller may read of the status: its detail, but for INTERNAL, whose detail is for the log
 * alone. */
void rt_wire_message(const struct rt_status *status, const struct rt_trace *trace,
		     char message[RT_WIRE_MESSAGE_BYTES]);
/* Packs; 0 when it doesn't fit. */
size_t rt_wire_status_pack(const struct rt_status *status, const char *message,
			   uint8_t bytes[RT_WIRE_STATUS_BYTES_MAX]);

/* Makes the status that a server sent: reason, field, detail and delay out of the details when they
 * are ours. Reasons are kept for ever, in a bounded table that all peers share; those of `reasons`
 * (see struct rt_remote) need no place in it, and those by which the client says that it made no
 * call are not believed. `from_service` tells whether an ErrorInfo of ours was there, so that the
 * code is the verdict of the service and not of some library on the way. */
struct rt_status rt_wire_status_unpack(int grpc_code, const char *message, const uint8_t *bytes,
				       size_t length, const char *const *reasons,
				       bool *from_service);
