/* How often the two ends of a connection ask each other whether they are still there. One place,
 * because a client that asks more often than the server allows is thrown out. For runtime/rpc
 * alone. */
#pragma once

#define RT_KEEPALIVE_CLIENT_MS  20000
#define RT_KEEPALIVE_SERVER_MS  60000
#define RT_KEEPALIVE_TIMEOUT_MS 10000
/* The least interval that a server accepts. */
#define RT_KEEPALIVE_LEAST_MS   10000
