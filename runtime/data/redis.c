/* Redis. hiredis makes and reads messages; waiting is ours (redis_link.c), so that a deadline is
 * one. */
#include "rt/redis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "redis_link.h"
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
#define READ_BYTES       16384

struct command_series {
	const char *word; /* static storage of the first caller */
	struct rt_series *seconds;
};

struct rt_redis {
	struct redis_url url;
	bool usable; /* the URL could be read */
	const struct rt_secret *password;
	struct redis_files files;
	int64_t timeout_us;
	struct redis_link *link; /* NULL: not connected */
	redisReader *reader;     /* of the link */
	bool answered;           /* on this link, once at least */
	unsigned failures;       /* in a row */
	struct redis_why last;   /* of the failures */
	int64_t closed_until_us; /* nothing is tried before this */
	struct command_series series[SERIES_MAX];
};

struct rt_status rt_redis_check_url(const char *url)
{
	struct redis_url parsed;
	struct rt_status status = redis_url_parse(url, &parsed);
	rt_wipe(&parsed, sizeof(parsed));
	return status;
}

struct rt_redis *rt_redis_new(const struct rt_redis_config *config)
{
	struct rt_redis *redis = calloc(1, sizeof(*redis));
	RT_ASSERT(redis != NULL);
	struct rt_status status = redis_url_parse(config->url, &redis->url);
	redis->usable = rt_is_ok(&status);
	redis->password = config->password;
	redis->files = (struct redis_files){
		.ca = config->tls_ca, .cert = config->tls_cert, .key = config->tls_key};
	redis->timeout_us =
		(config->timeout_ms == 0 ? TIMEOUT_MS : config->timeout_ms) * RT_US_PER_MS;
	return redis;
}

static void disconnect(struct rt_redis *redis)
{
	redis_link_close(redis->link);
	redis->link = NULL;
	if (redis->reader != NULL)
		redisReaderFree(redis->reader);
	redis->reader = NULL;
}

void rt_redis_destroy(struct rt_redis *redis)
{
	if (redis == NULL)
		return;
	disconnect(redis);
	rt_wipe(&redis->url, sizeof(redis->url));
	free(redis);
}

void rt_redis_reply_deinit(struct rt_redis_reply *reply)
{
	if (reply->raw != NULL)
		freeReplyObject(reply->raw);
	*reply = (struct rt_redis_reply){0};
}

static struct rt_status unavailable(const char *word, const struct redis_why *cause)
{
	bool explained = cause != NULL && cause->explained[0] != '\0';
	rt_series_add(RT_SERIES(REDIS_ERRORS, word), 1);
	return RT_FAIL(UNAVAILABLE, "REDIS_UNAVAILABLE", "Redis can't be used: %s%s%s", word,
		       explained ? ": " : "", explained ? cause->explained : "");
}

/* A server that speaks TLS alone does not say so to who begins without. */
static void suspect_tls(const struct rt_redis *redis, struct redis_why *why)
{
	bool unheard = strcmp(why->word, "lost") == 0 || strcmp(why->word, "protocol") == 0;
	if (unheard && !redis->answered && !redis->url.tls)
		*why = (struct redis_why){why->word, "no answer of Redis's: does it want TLS?"};
}

/* Counts a failure of the connection, drops it, and opens the breaker when there were too many. */
static struct rt_status fail_connection(struct rt_redis *redis, struct redis_why *why)
{
	suspect_tls(redis, why);
	disconnect(redis);
	if (redis->failures == 0)
		RT_LOG(WARN, "redis_unavailable", RT_TEXT("host", redis->url.host),
		       RT_INT("port", redis->url.port), RT_TEXT("why", why->word),
		       RT_TEXT("explained", why->explained));
	redis->failures++;
	redis->last = *why;
	if (redis->failures >= BREAKER_FAILURES) {
		int64_t most_ms = BREAKER_MS_LEAST;
		for (unsigned i = BREAKER_FAILURES; i < redis->failures; i++)
			most_ms = most_ms * 2 < BREAKER_MS_MOST ? most_ms * 2 : BREAKER_MS_MOST;
		uint64_t half_us = (uint64_t)(most_ms * RT_US_PER_MS / 2);
		redis->closed_until_us =
			rt_clock_mono_us() + (int64_t)(half_us + rt_random_below(half_us));
	}
	return unavailable(why->word, why);
}

static void count_success(struct rt_redis *redis)
{
	if (redis->failures > 0)
		RT_LOG(INFO, "redis_available", RT_TEXT("host", redis->url.host),
		       RT_INT("port", redis->url.port));
	redis->failures = 0;
	redis->closed_until_us = 0;
}

/* False, and why, when what came is no reply. */
static bool read_reply(struct rt_redis *redis, int64_t deadline_us, redisReply **reply,
		       struct redis_why *why)
{
	char bytes[READ_BYTES];
	void *raw = NULL;
	while (redisReaderGetReply(redis->reader, &raw) == REDIS_OK) {
		*reply = raw;
		if (raw != NULL) {
			redis->answered = true;
			return true;
		}
		size_t count =
			redis_link_receive(redis->link, bytes, sizeof(bytes), deadline_us, why);
		if (count == 0)
			return false;
		if (redisReaderFeed(redis->reader, bytes, count) != REDIS_OK)
			break;
	}
	*why = (struct redis_why){"protocol", ""};
	return false;
}

/* One command, for a reply. False, and what is wrong with the connection. */
static bool exchange(struct rt_redis *redis, int count, const char *const *words,
		     const size_t *lengths, int64_t deadline_us, redisReply **reply,
		     struct redis_why *why)
{
	/* hiredis only reads the words. */
	const char **argv = (const char **)(uintptr_t)words;
	char *bytes = NULL;
	long long length = redisFormatCommandArgv(&bytes, count, argv, lengths);
	RT_ASSERT(length > 0);
	bool sent = redis_link_send(redis->link, bytes, (size_t)length, deadline_us, why);
	rt_wipe(bytes, (size_t)length); /* a password, perhaps */
	redisFreeCommand(bytes);
	return sent && read_reply(redis, deadline_us, reply, why);
}

/* A command whose success alone counts. */
static bool order(struct rt_redis *redis, int count, const char *const *words, int64_t deadline_us,
		  struct redis_why *why)
{
	redisReply *reply = NULL;
	if (!exchange(redis, count, words, NULL, deadline_us, &reply, why))
		return false;
	bool refused = reply->type == REDIS_REPLY_ERROR;
	if (refused)
		*why = (struct redis_why){"refused", ""};
	freeReplyObject(reply);
	return !refused;
}

static bool authenticate(struct rt_redis *redis, int64_t deadline_us, struct redis_why *why)
{
	const char *password =
		redis->password != NULL ? rt_secret_bytes(redis->password) : redis->url.password;
	if (password[0] == '\0')
		return true;
	if (redis->url.user[0] == '\0')
		return order(redis, 2, (const char *const[]){"AUTH", password}, deadline_us, why);
	const char *const words[] = {"AUTH", redis->url.user, password};
	return order(redis, 3, words, deadline_us, why);
}

static bool select_database(struct rt_redis *redis, int64_t deadline_us, struct redis_why *why)
{
	char number[16];
	if (redis->url.database == 0)
		return true;
	snprintf(number, sizeof(number), "%d", redis->url.database);
	return order(redis, 2, (const char *const[]){"SELECT", number}, deadline_us, why);
}

static bool open_connection(struct rt_redis *redis, int64_t deadline_us, struct redis_why *why)
{
	redis->link = redis_link_open(&redis->url, &redis->files, deadline_us, why);
	if (redis->link == NULL)
		return false;
	redis->answered = false;
	redis->reader = redisReaderCreate();
	RT_ASSERT(redis->reader != NULL);
	return authenticate(redis, deadline_us, why) && select_database(redis, deadline_us, why);
}

static struct rt_status connect_redis(struct rt_redis *redis, int64_t deadline_us)
{
	if (!redis->usable)
		return unavailable("malformed URL", NULL);
	/* An idle connection has nothing to read, unless the server closed it: then a new one is
	 * made, rather than that the command fails. */
	if (redis->link != NULL && !redis_link_is_quiet(redis->link))
		disconnect(redis);
	if (redis->link != NULL)
		return rt_ok();
	if (rt_clock_mono_us() < redis->closed_until_us)
		return unavailable("breaker", &redis->last);
	struct redis_why why = {0};
	if (open_connection(redis, deadline_us, &why))
		return rt_ok();
	return fail_connection(redis, &why);
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
			return unavailable(passing[i], NULL);
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
	struct redis_why why = {0};
	if (!exchange(redis, count, words, lengths, deadline_us, &raw, &why))
		return fail_connection(redis, &why);
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
