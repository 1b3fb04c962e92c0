/* Redis: connections that one worker owns, with timeouts, reconnect with backoff, and a breaker
 * that takes a slow or absent Redis out of the way. Thread: one at a time. For a service's store/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/secret.h"
#include "rt/status.h"

struct rt_redis;

struct rt_redis_config {
	const char *url;                  /* redis://host:port/db, or rediss:// for TLS */
	const struct rt_secret *password; /* NULL: none, or the one in the URL */
	const char *tls_ca;               /* for rediss://; NULL: the system's authorities */
	const char *tls_cert, *tls_key;   /* shown to a server that asks; NULL: none */
	int64_t timeout_ms;               /* for one command, and for connecting; 0 means 100 */
};

/* INVALID_ARGUMENT INVALID_SETTING when the URL is malformed. */
struct rt_status rt_redis_check_url(const char *url);

/* The config's strings stay the caller's, and there, until _destroy. */
struct rt_redis *rt_redis_new(const struct rt_redis_config *config);
void rt_redis_destroy(struct rt_redis *redis);

enum rt_redis_kind { RT_REDIS_NIL, RT_REDIS_TEXT, RT_REDIS_INT };

/* A reply that is not an array. Owns: until _deinit. */
struct rt_redis_reply {
	enum rt_redis_kind kind;
	const char *text; /* NUL-terminated */
	size_t length;
	int64_t number;
	void *raw;
};
void rt_redis_reply_deinit(struct rt_redis_reply *reply);

/* Sends one command and waits for its reply; `lengths` may be NULL for C strings; `reply` may be
 * NULL. words[0], the command, is a label of its metric and has static storage. Errors: UNAVAILABLE
 * REDIS_UNAVAILABLE (not connected, timed out, breaker open: at once), INTERNAL REDIS_ERROR. After
 * an error the command may or may not have been carried out. */
struct rt_status rt_redis_command(struct rt_redis *redis, int count, const char *const *words,
				  const size_t *lengths, struct rt_redis_reply *reply);
#define RT_REDIS(redis, reply, ...)                                                                \
	rt_redis_command(redis,                                                                    \
			 (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)), \
			 (const char *const[]){__VA_ARGS__}, NULL, reply)
