/* What the tests of runtime/data share: the sandbox's PostgreSQL and Redis, and a proxy that loses
 * things. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include <stdatomic.h>
#include <stdbool.h>

#include "rt/pg.h"

/* An environment variable that the sandbox sets; fails the test when it is absent. */
const char *fixture_env(const char *name);
/* The sandbox's connection string `variable`, with another port when port > 0. Static storage, per
 * call site use at once. */
const char *fixture_conninfo(const char *variable, int port);
int fixture_port(const char *conninfo);
/* A connection as the owner of the accounts database; port 0: directly. */
struct rt_pg *fixture_pg(int port);
/* A monotonic deadline so many milliseconds from now. */
int64_t in_ms(int64_t duration_ms);

void check_ok(struct rt_status status, const char *file, int line);
void check_code(struct rt_status status, enum rt_code code, const char *reason, const char *file,
		int line);
#define OK(status)                  check_ok(status, __FILE__, __LINE__)
#define FAILS(status, code, reason) check_code(status, RT_##code, reason, __FILE__, __LINE__)

/* Runs a script and expects success. */
void script(struct rt_pg *pg, const char *sql);
/* The one number that a query without parameters returns, asked over a connection of its own. */
int64_t ask_int(const char *name, const char *sql);
/* The process id of the connection's server process. */
int64_t backend_of(struct rt_pg *pg);
/* Ends it as an administrator would, and waits until it is gone. */
void kill_backend(int64_t backend);

/* What becomes of a connection once the client has sent `watch`. */
enum proxy_act {
	PROXY_PASS,
	PROXY_CUT,             /* closes both sides before the server sees it */
	PROXY_DELIVER_AND_CUT, /* the server gets it and answers; the client gets a closed
				  connection */
	PROXY_STALL,           /* the server gets it; the client hears nothing more, for ever */
};

struct proxy;

/* Listens on a free port and hands on to the server's. */
struct proxy *proxy_new(int server_port);
void proxy_destroy(struct proxy *proxy);
int proxy_port(const struct proxy *proxy);
/* From now on; counts once, then passes again. */
void proxy_set(struct proxy *proxy, const char *watch, enum proxy_act act);
