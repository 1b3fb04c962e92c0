/* What a client says of calls that it did not make, and nobody else may say to it. For runtime/rpc
 * alone; callers know BREAKER_OPEN from rt/rpc_client.h. */
#pragma once

#define RT_REASON_BREAKER_OPEN    "BREAKER_OPEN"
#define RT_REASON_CLIENT_STOPPING "CLIENT_STOPPING"
