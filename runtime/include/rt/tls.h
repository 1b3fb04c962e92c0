/* Certificate files of a process, the same for its server and its channels; reloaded when they
 * change. */
#pragma once

#include <stdint.h>

#include "rt/admin_http.h"
#include "rt/config.h"

struct rt_tls {
	const char *cert; /* chain, PEM */
	const char *key;
	const char *ca;
	const char *trust_domain;
	int64_t reload_ms;
};

struct rt_tls rt_tls_from(const struct rt_common_config *common);

/* Says in a readiness report whether the files can be used as they are now. With unusable ones a
 * process goes on with those it had; it does not count as unready, because its fellows have the
 * same files. */
void rt_tls_report(const struct rt_tls *tls, struct rt_readiness *report);
