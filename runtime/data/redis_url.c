#include "redis_url.h"

#include <ctype.h>
#include <string.h>

#define DEFAULT_PORT 6379
#define PORT_MAX     65535
#define DATABASE_MAX 1000000

#define MALFORMED(what)                                                                            \
	RT_FAIL(INVALID_ARGUMENT, "INVALID_SETTING",                                               \
		"the Redis URL's %s is malformed; allowed: "                                       \
		"redis[s]://[[user]:password@]host[:port][/database]",                             \
		what)

/* A piece of the URL. */
struct slice {
	const char *at;
	size_t length;
};

static bool copy(struct slice slice, char *text, size_t size)
{
	if (slice.length >= size || memchr(slice.at, '\0', slice.length) != NULL)
		return false;
	memcpy(text, slice.at, slice.length);
	text[slice.length] = '\0';
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct slice slice, char *text, size_t size)
{
	size_t length = 0;
	for (size_t i = 0; i < slice.length; i++) {
		char c = slice.at[i];
		if (c == '%') {
			int high = i + 2 < slice.length ? hex_value(slice.at[i + 1]) : -1;
			int low = i + 2 < slice.length ? hex_value(slice.at[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (c == '\0' || length + 1 >= size)
			return false;
		text[length++] = c;
	}
	text[length] = '\0';
	return true;
}

static bool number(struct slice slice, int most, int *value)
{
	*value = 0;
	for (size_t i = 0; i < slice.length; i++) {
		if (slice.at[i] < '0' || slice.at[i] > '9')
			return false;
		*value = *value * 10 + (slice.at[i] - '0');
		if (*value > most)
			return false;
	}
	return slice.length > 0;
}

/* Splits at the first `mark`: returns what comes before, and leaves what comes behind; false when
 * there is none. */
static bool split(struct slice *rest, char mark, struct slice *before)
{
	const char *at = memchr(rest->at, mark, rest->length);
	if (at == NULL)
		return false;
	*before = (struct slice){rest->at, (size_t)(at - rest->at)};
	*rest = (struct slice){at + 1, rest->length - before->length - 1};
	return true;
}

static bool parse_user(struct slice user_info, struct redis_url *url)
{
	struct slice user;
	if (!split(&user_info, ':', &user))
		return false; /* a name without a password is of no use */
	return decode(user, url->user, sizeof(url->user)) &&
	       decode(user_info, url->password, sizeof(url->password));
}

static bool parse_host(struct slice *rest, struct redis_url *url)
{
	struct slice host = *rest;
	if (rest->length > 0 && rest->at[0] == '[') {
		rest->at++;
		rest->length--;
		if (!split(rest, ']', &host))
			return false;
	} else {
		size_t length = 0;
		while (length < rest->length && rest->at[length] != ':')
			length++;
		host.length = length;
		*rest = (struct slice){rest->at + length, rest->length - length};
	}
	return host.length > 0 && memchr(host.at, ' ', host.length) == NULL &&
	       copy(host, url->host, sizeof(url->host));
}

static bool parse_port(struct slice rest, struct redis_url *url)
{
	url->port = DEFAULT_PORT;
	if (rest.length == 0)
		return true;
	struct slice digits = {rest.at + 1, rest.length - 1};
	return rest.at[0] == ':' && number(digits, PORT_MAX, &url->port) && url->port > 0;
}

struct rt_status redis_url_parse(const char *text, struct redis_url *url)
{
	*url = (struct redis_url){0};
	struct slice rest = {text, strlen(text)};
	url->tls = strncmp(text, "rediss://", 9) == 0;
	size_t scheme = url->tls ? 9 : 8;
	if (!url->tls && strncmp(text, "redis://", 8) != 0)
		return MALFORMED("scheme");
	rest = (struct slice){text + scheme, rest.length - scheme};
	/* User information may hold a slash only as %2F, but be lenient: the last @ ends it. */
	const char *at = memrchr(rest.at, '@', rest.length);
	if (at != NULL) {
		struct slice user_info = {rest.at, (size_t)(at - rest.at)};
		if (!parse_user(user_info, url))
			return MALFORMED("user information");
		rest = (struct slice){at + 1, rest.length - user_info.length - 1};
	}
	struct slice address = rest;
	struct slice database = {"", 0};
	if (split(&rest, '/', &address))
		database = rest;
	if (database.length > 0 && !number(database, DATABASE_MAX, &url->database))
		return MALFORMED("database");
	if (!parse_host(&address, url))
		return MALFORMED("host");
	if (!parse_port(address, url))
		return MALFORMED("port");
	return rt_ok();
}
