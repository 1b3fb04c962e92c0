/* TLS for Redis, where the build has hiredis_ssl; for runtime/data alone. */
#pragma once

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "rt/status.h"

struct redis_tls;

#ifdef RT_REDIS_TLS
#define REDIS_HAS_TLS true
#else
#define REDIS_HAS_TLS false
#endif

/* Makes what connections share. `ca`: certificate authorities (PEM); NULL: the system's. `host`:
 * the name that the server's certificate must carry. NULL when it can't be made, or there is no
 * TLS. */
struct redis_tls *redis_tls_new(const char *ca, const char *host);
void redis_tls_destroy(struct redis_tls *tls);
/* Shakes hands on a connection; false when that failed. */
bool redis_tls_start(struct redis_tls *tls, redisContext *connection);
