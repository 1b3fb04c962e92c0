/* Redis URLs, for runtime/data alone. */
#pragma once

#include <stdbool.h>

#include "rt/status.h"

/* redis://[[user]:password@]host[:port][/database], with %XX in the user information. */
struct redis_url {
	bool tls;
	char host[256]; /* without the brackets of an IPv6 address */
	int port;
	int database;
	char user[128]; /* "": none */
	char password[512];
};

/* Errors: INVALID_ARGUMENT INVALID_SETTING; the detail does not quote the URL. Pure. */
struct rt_status redis_url_parse(const char *text, struct redis_url *url);
