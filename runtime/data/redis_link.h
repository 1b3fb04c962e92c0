/* A connection to Redis, plain or with TLS: bytes out and in, each before a deadline. For
 * runtime/data alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis_url.h"

/* Files of PEM, read anew for each connection, so that renewed ones count. */
struct redis_files {
	const char *ca;         /* NULL: the system's authorities */
	const char *cert, *key; /* shown to a server that asks; NULL: none */
};

/* Why something did not come about. */
struct redis_why {
	const char *word;   /* static storage: a label of the metric */
	char explained[96]; /* for people; "": the word says it all */
};

struct redis_link;

/* NULL, and why, when there is no connection. */
struct redis_link *redis_link_open(const struct redis_url *url, const struct redis_files *files,
				   int64_t deadline_us, struct redis_why *why);
void redis_link_close(struct redis_link *link);
/* All of them, or false, and why. */
bool redis_link_send(struct redis_link *link, const char *bytes, size_t count, int64_t deadline_us,
		     struct redis_why *why);
/* Some bytes, one at least; 0, and why, when none came. */
size_t redis_link_receive(struct redis_link *link, char *bytes, size_t room, int64_t deadline_us,
			  struct redis_why *why);
/* Whether nothing has come that nobody has asked for, the end included. */
bool redis_link_is_quiet(struct redis_link *link);
