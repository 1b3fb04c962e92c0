/* Redis. hiredis makes and reads messages; waiting is ours, so that a deadline is one. */
#include "rt/redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "redis_tls.h"
#include "redis_url.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/id.h"
#include "rt/log.h"
#include "rt/metrics.h"

#define TIMEOUT_MS       100
/* So many failures in a row open the breaker: nothing is tried for a while. */
#define BREAKER_FAILURES 3
#define BREAKER_MS_LEAST 250
#define BREAKER_MS_MOST  4000
#define SERIES_MAX       24

struct command_series {
	const char *word; /* static storage of the first caller */
	struct rt_series *seconds;
};

struct rt_redis {
	struct redis_url url;
	bool usable; /* the URL could be read */
	const struct rt_secret *password;
	struct redis_tls *tls;
	char *tls_ca;
	int64_t timeout_us;
	redisContext *connection; /* NULL: not connected */
	unsigned failures;        /* in a row */
	int64_t closed_until_us;  /* nothing is tried before this */
	struct command_series series[SERIES_MAX];
};

struct rt_status rt_redis_check_url(const char *url)
{
	struct redis_url parsed;
	struct rt_status status = redis_url_parse(url, &parsed);
	bool tls = parsed.tls;
	rt_wipe(&parsed, sizeof(parsed));
	RT_TRY(status);
	if (tls && !REDIS_HAS_TLS)
		return RT_FAIL(INVALID_ARGUMENT, "INVALID_SETTING",
			       "rediss:// needs a build with hiredis_ssl, which this one is not");
	return rt_ok();
}

struct rt_redis *rt_redis_new(const struct rt_redis_config *config)
{
	struct rt_redis *redis = calloc(1, sizeof(*redis));
	RT_ASSERT(redis != NULL);
	struct rt_status status = rt_redis_check_url(config->url);
	redis->usable = rt_is_ok(&status);
	if (redis->usable)
		status = redis_url_parse(config->url, &redis->url);
	redis->password = config->password;
	redis->tls_ca = config->tls_ca == NULL ? NULL : strdup(config->tls_ca);
	redis->timeout_us =
		(config->timeout_ms == 0 ? TIMEOUT_MS : config->timeout_ms) * RT_US_PER_MS;
	return redis;
}

static void disconnect(struct rt_redis *redis)
{
	if (redis->connection != NULL)
		redisFree(redis->connection);
	redis->connection = NULL;
}

void rt_redis_destroy(struct rt_redis *redis)
{
	if (redis == NULL)
		return;
	disconnect(redis);
	redis_tls_destroy(redis->tls);
	free(redis->tls_ca);
	rt_wipe(&redis->url, sizeof(redis->url));
	free(redis);
}

void rt_redis_reply_deinit(struct rt_redis_reply *reply)
{
	if (reply->raw != NULL)
		freeReplyObject(reply->raw);
	*reply = (struct rt_redis_reply){0};
}

static struct rt_status unavailable(const char *why)
{
	rt_series_add(RT_SERIES(REDIS_ERRORS, why), 1);
	return RT_FAIL(UNAVAILABLE, "REDIS_UNAVAILABLE", "Redis can't be used: %s", why);
}

/* Counts a failure of the connection, drops it, and opens the breaker when there were too many. */
static struct rt_status fail_connection(struct rt_redis *redis, const char *why)
{
	disconnect(redis);
	if (redis->failures == 0)
		RT_LOG(WARN, "redis_unavailable", RT_TEXT("host", redis->url.host),
		       RT_INT("port", redis->url.port), RT_TEXT("why", why));
	redis->failures++;
	if (redis->failures >= BREAKER_FAILURES) {
		int64_t most_ms = BREAKER_MS_LEAST;
		for (unsigned i = BREAKER_FAILURES; i < redis->failures; i++)
			most_ms = most_ms * 2 < BREAKER_MS_MOST ? most_ms * 2 : BREAKER_MS_MOST;
		uint64_t half_us = (uint64_t)(most_ms * RT_US_PER_MS / 2);
		redis->closed_until_us =
			rt_clock_mono_us() + (int64_t)(half_us + rt_random_below(half_us));
	}
	return unavailable(why);
}

static void count_success(struct rt_redis *redis)
{
	if (redis->failures > 0)
		RT_LOG(INFO, "redis_available", RT_TEXT("host", redis->url.host),
		       RT_INT("port", redis->url.port));
	redis->failures = 0;
	redis->closed_until_us = 0;
}

/* Waits for the socket. False when the deadline came first. */
static bool wait_for(const redisContext *connection, short events, int64_t deadline_us)
{
	for (;;) {
		struct pollfd wait = {.fd = connection->fd, .events = events};
		int left_ms = rt_clock_left_ms(deadline_us, 60000);
		int ready = left_ms == 0 ? 0 : poll(&wait, 1, left_ms);
		if (ready > 0)
			return true;
		if (left_ms == 0 || (ready < 0 && errno != EINTR))
			return false;
	}
}

static const char *send_all(struct rt_redis *redis, int64_t deadline_us)
{
	int done = 0;
	while (!done) {
		if (!wait_for(redis->connection, POLLOUT, deadline_us))
			return "timeout";
		if (redisBufferWrite(redis->connection, &done) != REDIS_OK)
			return "lost";
	}
	return NULL;
}

/* A session of TLS may hold what the socket does not show any more: there the socket's own timeout
 * has to do. */
static const char *read_reply(struct rt_redis *redis, int64_t deadline_us, redisReply **reply)
{
	void *raw = NULL;
	for (;;) {
		if (redisGetReplyFromReader(redis->connection, &raw) != REDIS_OK)
			return "protocol";
		if (raw != NULL)
			break;
		if (!redis->url.tls && !wait_for(redis->connection, POLLIN, deadline_us))
			return "timeout";
		if (rt_clock_mono_us() >= deadline_us)
			return "timeout";
		if (redisBufferRead(redis->connection) != REDIS_OK)
			return errno == EAGAIN ? "timeout" : "lost";
	}
	*reply = raw;
	return NULL;
}

/* One command. Returns NULL, or what is wrong with the connection. */
static const char *exchange(struct rt_redis *redis, int count, const char *const *words,
			    const size_t *lengths, int64_t deadline_us, redisReply **reply)
{
	/* hiredis only reads the words. */
	const char **argv = (const char **)(uintptr_t)words;
	if (redisAppendCommandArgv(redis->connection, count, argv, lengths) != REDIS_OK)
		return "memory";
	const char *why = send_all(redis, deadline_us);
	return why == NULL ? read_reply(redis, deadline_us, reply) : why;
}

/* A command whose success alone counts. */
static const char *order(struct rt_redis *redis, int count, const char *const *words,
			 int64_t deadline_us)
{
	redisReply *reply = NULL;
	const char *why = exchange(redis, count, words, NULL, deadline_us, &reply);
	if (why != NULL)
		return why;
	bool refused = reply->type == REDIS_REPLY_ERROR;
	freeReplyObject(reply);
	return refused ? "refused" : NULL;
}

static const char *authenticate(struct rt_redis *redis, int64_t deadline_us)
{
	const char *password =
		redis->password != NULL ? rt_secret_bytes(redis->password) : redis->url.password;
	if (password[0] == '\0')
		return NULL;
	if (redis->url.user[0] == '\0')
		return order(redis, 2, (const char *const[]){"AUTH", password}, deadline_us);
	const char *const words[] = {"AUTH", redis->url.user, password};
	return order(redis, 3, words, deadline_us);
}

static const char *select_database(struct rt_redis *redis, int64_t deadline_us)
{
	char number[16];
	if (redis->url.database == 0)
		return NULL;
	snprintf(number, sizeof(number), "%d", redis->url.database);
	return order(redis, 2, (const char *const[]){"SELECT", number}, deadline_us);
}

static const char *start_tls(struct rt_redis *redis)
{
	if (!redis->url.tls)
		return NULL;
	if (redis->tls == NULL)
		redis->tls = redis_tls_new(redis->tls_ca, redis->url.host);
	if (redis->tls == NULL || !redis_tls_start(redis->tls, redis->connection))
		return "tls";
	return NULL;
}

/* Returns NULL, or why there is no connection. */
static const char *open_connection(struct rt_redis *redis, int64_t deadline_us)
{
	struct timeval timeout = {
		.tv_sec = redis->timeout_us / RT_US_PER_S,
		.tv_usec = redis->timeout_us % RT_US_PER_S,
	};
	redis->connection = redisConnectWithTimeout(redis->url.host, redis->url.port, timeout);
	if (redis->connection == NULL)
		return "memory";
	if (redis->connection->err != 0)
		return "connect";
	if (redisSetTimeout(redis->connection, timeout) != REDIS_OK)
		return "connect";
	const char *why = start_tls(redis);
	if (why == NULL)
		why = authenticate(redis, deadline_us);
	if (why == NULL)
		why = select_database(redis, deadline_us);
	return why;
}

/* An idle connection has nothing to read, unless the server closed it: then a new one is made,
 * rather than that the command fails. */
static void drop_if_closed(struct rt_redis *redis)
{
	if (redis->connection == NULL)
		return;
	struct pollfd wait = {.fd = redis->connection->fd, .events = POLLIN};
	if (poll(&wait, 1, 0) != 0)
		disconnect(redis);
}

static struct rt_status connect_redis(struct rt_redis *redis, int64_t deadline_us)
{
	if (!redis->usable)
		return unavailable("malformed URL");
	drop_if_closed(redis);
	if (redis->connection != NULL)
		return rt_ok();
	if (rt_clock_mono_us() < redis->closed_until_us)
		return unavailable("breaker");
	const char *why = open_connection(redis, deadline_us);
	return why == NULL ? rt_ok() : fail_connection(redis, why);
}

/* Errors of the server by their first word: states that pass, for which the connection is not to
 * blame, and the rest. */
static struct rt_status refusal(const redisReply *reply)
{
	static const char *const passing[] = {"LOADING",    "READONLY",    "MASTERDOWN", "OOM",
					      "BUSY",       "CLUSTERDOWN", "TRYAGAIN",   "MISCONF",
					      "NOREPLICAS", "NOAUTH",      NULL};
	char word[32];
	size_t length = strcspn(reply->str, " ");
	if (length >= sizeof(word))
		length = sizeof(word) - 1;
	memcpy(word, reply->str, length);
	word[length] = '\0';
	for (int i = 0; passing[i] != NULL; i++)
		if (strcmp(passing[i], word) == 0)
			return unavailable(passing[i]);
	rt_series_add(RT_SERIES(REDIS_ERRORS, "refused"), 1);
	return RT_FAIL(INTERNAL, "REDIS_ERROR", "Redis refused the command: %s", word);
}

static struct rt_status take_reply(redisReply *raw, struct rt_redis_reply *reply)
{
	switch (raw->type) {
	case REDIS_REPLY_NIL:
		reply->kind = RT_REDIS_NIL;
		break;
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		reply->kind = RT_REDIS_TEXT;
		reply->text = raw->str;
		reply->length = raw->len;
		break;
	case REDIS_REPLY_INTEGER:
		reply->kind = RT_REDIS_INT;
		reply->number = raw->integer;
		break;
	default:
		return RT_FAIL(INTERNAL, "REDIS_ERROR", "Redis answered with a list");
	}
	reply->raw = raw;
	return rt_ok();
}

/* Commands are few and constant words. */
static void observe(struct rt_redis *redis, const char *word, int64_t begun_us)
{
	struct command_series *series = redis->series;
	size_t i = 0;
	while (i < SERIES_MAX - 1 && series[i].word != NULL &&
	       strcasecmp(series[i].word, word) != 0)
		i++;
	if (series[i].word == NULL) {
		series[i].word = i < SERIES_MAX - 1 ? word : "other";
		series[i].seconds = RT_SERIES(REDIS_SECONDS, series[i].word);
	}
	rt_series_observe_us(series[i].seconds, rt_clock_mono_us() - begun_us);
}

struct rt_status rt_redis_command(struct rt_redis *redis, int count, const char *const *words,
				  const size_t *lengths, struct rt_redis_reply *reply)
{
	RT_ASSERT(count > 0);
	struct rt_redis_reply unused = {0};
	struct rt_redis_reply *target = reply == NULL ? &unused : reply;
	*target = (struct rt_redis_reply){0};
	int64_t begun_us = rt_clock_mono_us();
	int64_t deadline_us = begun_us + redis->timeout_us;
	RT_TRY(connect_redis(redis, deadline_us));
	redisReply *raw = NULL;
	const char *why = exchange(redis, count, words, lengths, deadline_us, &raw);
	if (why != NULL)
		return fail_connection(redis, why);
	count_success(redis);
	observe(redis, words[0], begun_us);
	struct rt_status status =
		raw->type == REDIS_REPLY_ERROR ? refusal(raw) : take_reply(raw, target);
	if (!rt_is_ok(&status))
		freeReplyObject(raw);
	else if (reply == NULL)
		rt_redis_reply_deinit(&unused);
	return status;
}
