#include "config_text.h"

#include <inttypes.h>
#include <string.h>

void config_flag(const struct rt_setting *setting, char text[CONFIG_NAME_BYTES])
{
	snprintf(text, CONFIG_NAME_BYTES, "--%s", setting->name);
	for (char *at = text; *at != '\0'; at++)
		if (*at == '_')
			*at = '-';
}

void config_variable(const struct rt_program *program, const struct rt_setting *setting,
		     char text[CONFIG_NAME_BYTES])
{
	snprintf(text, CONFIG_NAME_BYTES, "%s_%s", program->variable, setting->name);
	for (char *at = text; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
}

static void join_choices(const char *choices, char *text, size_t text_bytes)
{
	size_t used = (size_t)snprintf(text, text_bytes, "one of ");
	for (const char *at = choices; *at != '\0' && used < text_bytes; at++) {
		const char one[] = {*at, '\0'};
		int added = snprintf(text + used, text_bytes - used, "%s", *at == '|' ? ", " : one);
		used += (size_t)added;
	}
}

static bool is_bounded(const struct rt_setting *setting)
{
	return setting->min != 0 || setting->max != 0;
}

void config_allowed(const struct rt_setting *setting, char *text, size_t text_bytes)
{
	const char *unit = setting->unit == NULL ? "" : setting->unit;
	switch (setting->kind) {
	case RT_SETTING_INT:
		if (is_bounded(setting))
			snprintf(text, text_bytes, "%" PRId64 " to %" PRId64 "%s%s", setting->min,
				 setting->max, unit[0] == '\0' ? "" : " ", unit);
		else
			snprintf(text, text_bytes, "a whole number%s%s",
				 unit[0] == '\0' ? "" : " of ", unit);
		return;
	case RT_SETTING_TEXT:
		if (is_bounded(setting))
			snprintf(text, text_bytes, "%" PRId64 " to %" PRId64 " characters",
				 setting->min, setting->max);
		else
			snprintf(text, text_bytes, "any text");
		return;
	case RT_SETTING_CHOICE:
		join_choices(setting->choices, text, text_bytes);
		return;
	case RT_SETTING_PATH:
		snprintf(text, text_bytes, "the path of a file");
		return;
	case RT_SETTING_SECRET:
		snprintf(text, text_bytes, "the path of a file that holds the secret");
		return;
	case RT_SETTING_URL:
		snprintf(text, text_bytes, "a URL, scheme://host:port/path, without a password");
		return;
	case RT_SETTING_CONNINFO:
		snprintf(text, text_bytes,
			 "%" PRId64 " to %" PRId64 " characters, without a password", setting->min,
			 setting->max);
		return;
	}
}

/* Everything before the last @ is taken for user information, and everything behind ? for
 * parameters, so that a password with signs that should have been escaped stays hidden too. */
static void show_url(const char *url, FILE *out)
{
	const char *rest = strstr(url, "://");
	if (rest == NULL) {
		fputs("***", out);
		return;
	}
	rest += strlen("://");
	fwrite(url, 1, (size_t)(rest - url), out);
	const char *at = strrchr(rest, '@');
	if (at != NULL) {
		fputs("***", out);
		rest = at;
	}
	const char *query = strchr(rest, '?');
	size_t length = query == NULL ? strlen(rest) : (size_t)(query - rest);
	fwrite(rest, 1, length, out);
	if (query != NULL)
		fputs("?***", out);
}

static void show_text(const struct rt_setting *setting, const char *text, FILE *out)
{
	if (text == NULL || text[0] == '\0')
		return;
	if (setting->kind == RT_SETTING_URL || strstr(text, "://") != NULL)
		show_url(text, out);
	else if ((setting->kind == RT_SETTING_TEXT || setting->kind == RT_SETTING_CONNINFO) &&
		 strcasestr(text, "password") != NULL)
		fputs("***", out);
	else
		fputs(text, out);
}

void config_show(const struct rt_setting *setting, const void *config, FILE *out)
{
	const char *member = (const char *)config + setting->offset;
	if (setting->kind == RT_SETTING_INT) {
		int64_t number;
		memcpy(&number, member, sizeof(number));
		fprintf(out, "%" PRId64, number);
		return;
	}
	const char *text;
	memcpy(&text, member, sizeof(text));
	show_text(setting, text, out);
}
