/* The listening socket of the admin port. For admin_http.c. */
#pragma once

#include "rt/status.h"

/* "host:port", "[::1]:port", ":port" for every address; port 0 picks a free one. Owns: the caller
 * closes *socket. Errors: INVALID_ARGUMENT INVALID_SETTING, FAILED_PRECONDITION LISTEN_FAILED. */
struct rt_status admin_listen(const char *address, int *socket);
/* The port that a socket is bound to; 0 when it is not known. */
uint16_t admin_listen_port(int socket);
