/* Watches what peers of this process's servers send. For runtime/rpc alone. */
#pragma once

#include <stdint.h>

/* Before anything listens. `streams_max`: what peers are told that a connection may have. */
void rt_tls_read_watch(int64_t streams_max);
