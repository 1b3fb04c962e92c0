#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rt/assert.h"

const struct setting ctl_settings[SETTING_COUNT] = {
	[SETTING_HELP] = {{"help", "h", NULL, FLAG_OPTIONAL,
			   "this text, for the command before it"},
			  NULL,
			  NULL},
	[SETTING_JSON] =
		{{"json", NULL, NULL, FLAG_OPTIONAL,
		  "print the service's answer as JSON, and errors too (on standard error)"},
		 NULL,
		 NULL},
	[SETTING_TIMEOUT] = {{"timeout", NULL, "SECONDS", FLAG_OPTIONAL,
			      "how long to go on trying while a service can't be reached, with the "
			      "same key (default 30)"},
			     "DALER_TIMEOUT",
			     "30"},
	[SETTING_AUTH_ADDR] = {{"auth-addr", NULL, "HOST:PORT", FLAG_OPTIONAL, "where auth is"},
			       "DALER_AUTH_ADDR",
			       NULL},
	[SETTING_ACCOUNTS_ADDR] = {{"accounts-addr", NULL, "HOST:PORT", FLAG_OPTIONAL,
				    "where accounts is"},
				   "DALER_ACCOUNTS_ADDR",
				   NULL},
	[SETTING_PAYMENTS_ADDR] = {{"payments-addr", NULL, "HOST:PORT", FLAG_OPTIONAL,
				    "where payments is"},
				   "DALER_PAYMENTS_ADDR",
				   NULL},
	[SETTING_CONNECTOR_ADDR] = {{"connector-addr", NULL, "HOST:PORT", FLAG_OPTIONAL,
				     "where the connector is"},
				    "DALER_CONNECTOR_ADDR",
				    NULL},
	[SETTING_CA] = {{"ca", NULL, "FILE", FLAG_OPTIONAL,
			 "the authorities that services must come from (PEM)"},
			"DALER_CA",
			NULL},
	[SETTING_CERT] = {{"cert", NULL, "FILE", FLAG_OPTIONAL, "the certificate to show (PEM)"},
			  "DALER_CERT",
			  NULL},
	[SETTING_CERT_KEY] = {{"cert-key", NULL, "FILE", FLAG_OPTIONAL, "its private key (PEM)"},
			      "DALER_KEY",
			      NULL},
	[SETTING_TRUST_DOMAIN] = {{"trust-domain", NULL, "NAME", FLAG_OPTIONAL,
				   "SPIFFE trust domain of the services (default daler.local)"},
				  "DALER_TRUST_DOMAIN",
				  "daler.local"},
	[SETTING_TOKEN_FILE] =
		{{"token-file", NULL, "FILE", FLAG_OPTIONAL,
		  "a file with the token to show, instead of the one in DALER_TOKEN"},
		 "DALER_TOKEN_FILE",
		 NULL},
	[SETTING_VERBOSE] = {{"verbose", "v", NULL, FLAG_OPTIONAL,
			      "log what the client does, on standard error"},
			     NULL,
			     NULL},
};

const struct command_group *const ctl_groups[] = {
	&ctl_login_group,     &ctl_user_group,  &ctl_keys_group,      &ctl_ledger_group,
	&ctl_account_group,   &ctl_asset_group, &ctl_transfer_group,  &ctl_payment_group,
	&ctl_connector_group, &ctl_limit_group, &ctl_exclusion_group, &ctl_id_group,
};
const size_t ctl_group_count = CTL_COUNT(ctl_groups);

static char switch_on[] = "yes";

/* Whether `word` of `length` names the flag. */
static bool flag_is(const struct flag *flag, const char *word, size_t length)
{
	if (strlen(flag->name) == length && memcmp(flag->name, word, length) == 0)
		return true;
	return flag->alias != NULL && strlen(flag->alias) == length &&
	       memcmp(flag->alias, word, length) == 0;
}

/* Finds the flag among the command's and the settings; *place is where its value goes. NULL when
 * there is none. */
static const struct flag *flag_find(struct ctl *ctl, const char *word, size_t length, char ***place)
{
	for (size_t i = 0; ctl->command != NULL && i < ctl->command->flag_count; i++) {
		if (flag_is(&ctl->command->flags[i], word, length)) {
			*place = &ctl->values[i];
			return &ctl->command->flags[i];
		}
	}
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (flag_is(&ctl_settings[i].flag, word, length)) {
			*place = &ctl->settings[i];
			return &ctl_settings[i].flag;
		}
	}
	return NULL;
}

/* Takes the flag in argv[*at], with its value; *at is then the last word used. */
static struct rt_status flag_take(struct ctl *ctl, int argc, char **argv, int *at)
{
	char *word = argv[*at];
	char *name = word + (word[1] == '-' ? 2 : 1);
	char *equals = strchr(name, '=');
	size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
	char **place = NULL;
	const struct flag *flag = flag_find(ctl, name, length, &place);
	if (flag == NULL)
		return CTL_USAGE_ERROR("there is no flag %.*s here",
				       (int)(length + (size_t)(name - word)), word);
	if (*place != NULL && flag->value != NULL)
		return CTL_USAGE_ERROR("--%s is given twice", flag->name);
	if (flag->value == NULL) {
		if (equals != NULL)
			return CTL_USAGE_ERROR("--%s takes no value", flag->name);
		*place = switch_on;
		return rt_ok();
	}
	if (equals == NULL && *at + 1 >= argc)
		return CTL_USAGE_ERROR("--%s needs a value: %s", flag->name, flag->value);
	*place = equals != NULL ? equals + 1 : argv[++*at];
	return rt_ok();
}

static bool is_one_of(const char *choices, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (strcspn(at, "|") == length && memcmp(at, word, length) == 0)
			return true;
	}
	return false;
}

/* A group without verbs has one command, which is then chosen with it. */
static struct rt_status group_take(struct ctl *ctl, const char *word)
{
	for (size_t i = 0; i < ctl_group_count; i++) {
		if (strcmp(ctl_groups[i]->name, word) != 0)
			continue;
		ctl->group = ctl_groups[i];
		if (ctl->group->commands[0].verb == NULL)
			ctl->command = &ctl->group->commands[0];
		return rt_ok();
	}
	return CTL_USAGE_ERROR("there is no command %s", word);
}

static struct rt_status verb_take(struct ctl *ctl, const char *word)
{
	for (size_t i = 0; i < ctl->group->command_count; i++) {
		if (strcmp(ctl->group->commands[i].verb, word) == 0) {
			ctl->command = &ctl->group->commands[i];
			return rt_ok();
		}
	}
	return CTL_USAGE_ERROR("there is no command %s %s", ctl->group->name, word);
}

static struct rt_status word_take(struct ctl *ctl, char *word)
{
	if (ctl->group == NULL)
		return group_take(ctl, word);
	if (ctl->command == NULL)
		return verb_take(ctl, word);
	if (ctl->command->operand == NULL || ctl->operand != NULL)
		return CTL_USAGE_ERROR("nothing is known to do with '%s'", word);
	if (!is_one_of(ctl->command->operand, word))
		return CTL_USAGE_ERROR("'%s' is not one of %s", word, ctl->command->operand);
	ctl->operand = word;
	return rt_ok();
}

struct rt_status args_parse(struct ctl *ctl, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			RT_TRY(flag_take(ctl, argc, argv, &i));
		else
			RT_TRY(word_take(ctl, argv[i]));
		if (ctl->settings[SETTING_HELP] != NULL)
			return rt_ok();
	}
	return rt_ok();
}

static void settings_fill(struct ctl *ctl)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &ctl_settings[i];
		char *value = setting->variable != NULL ? getenv(setting->variable) : NULL;
		if (ctl->settings[i] == NULL && value != NULL && value[0] != '\0')
			ctl->settings[i] = value;
		if (ctl->settings[i] == NULL && setting->fallback != NULL)
			ctl->settings[i] = rt_arena_strdup(&ctl->arena, setting->fallback);
	}
}

struct rt_status args_complete(struct ctl *ctl)
{
	if (ctl->group == NULL)
		return CTL_USAGE_ERROR("a command is missing");
	if (ctl->command == NULL)
		return CTL_USAGE_ERROR("what about %s? a verb is missing", ctl->group->name);
	if (ctl->command->operand != NULL && ctl->operand == NULL)
		return CTL_USAGE_ERROR("one of %s is missing", ctl->command->operand);
	RT_ASSERT(ctl->command->flag_count <= CTL_FLAGS_MAX);
	for (size_t i = 0; i < ctl->command->flag_count; i++) {
		const struct flag *flag = &ctl->command->flags[i];
		if (flag->need == FLAG_REQUIRED && ctl->values[i] == NULL)
			return CTL_USAGE_ERROR("--%s %s is missing", flag->name, flag->value);
	}
	settings_fill(ctl);
	return rt_ok();
}

char *flag_text(const struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < ctl->command->flag_count; i++) {
		if (strcmp(ctl->command->flags[i].name, name) == 0)
			return ctl->values[i];
	}
	RT_ASSERT(name == NULL); /* the command's table has no such flag */
	return NULL;
}

char *flag_text_or(const struct ctl *ctl, const char *name, char *fallback)
{
	char *text = flag_text(ctl, name);
	return text != NULL ? text : fallback;
}

bool flag_given(const struct ctl *ctl, const char *name)
{
	return flag_text(ctl, name) != NULL;
}

struct rt_status flag_id(const struct ctl *ctl, const char *name, char **id)
{
	struct rt_uuid uuid;
	char *text = flag_text(ctl, name);
	if (text == NULL || !rt_uuid_parse(text, &uuid))
		return CTL_USAGE_ERROR(
			"--%s must be a UUID, such as `dalerctl id new` makes, not '%.40s'", name,
			text != NULL ? text : "");
	*id = text;
	return rt_ok();
}

struct rt_status flag_id_or_new(struct ctl *ctl, const char *name, char **id, bool *made)
{
	if (made != NULL)
		*made = !flag_given(ctl, name);
	if (flag_given(ctl, name))
		return flag_id(ctl, name, id);
	struct rt_uuid uuid = rt_uuid_v7();
	*id = rt_arena_alloc(&ctl->arena, RT_UUID_TEXT_BYTES);
	RT_ASSERT(*id != NULL);
	rt_uuid_format(&uuid, *id);
	return rt_ok();
}

struct rt_status flag_int(const struct ctl *ctl, const char *name, int64_t fallback, int64_t *value)
{
	char *text = flag_text(ctl, name);
	char *end = NULL;
	*value = fallback;
	if (text == NULL)
		return rt_ok();
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *value < 0)
		return CTL_USAGE_ERROR("--%s must be a whole number, not '%.40s'", name, text);
	return rt_ok();
}

struct rt_status flag_currency(const struct ctl *ctl, const char *name,
			       const struct rt_currency **currency)
{
	char *text = flag_text(ctl, name);
	*currency = text != NULL ? rt_currency_find(text) : NULL;
	if (*currency == NULL)
		return CTL_USAGE_ERROR("--%s must be an ISO 4217 code, such as EUR, not '%.40s'",
				       name, text != NULL ? text : "");
	return rt_ok();
}

struct rt_status flag_amount(const struct ctl *ctl, const char *name,
			     const struct rt_currency *currency, int64_t *amount_minor)
{
	char *text = flag_text(ctl, name);
	if (text == NULL || !rt_money_parse(text, currency->exponent, amount_minor))
		return CTL_USAGE_ERROR("--%s must be a decimal amount of %s with at most %d digits "
				       "after the point, "
				       "not '%.24s'",
				       name, currency->code, currency->exponent,
				       text != NULL ? text : "");
	return rt_ok();
}

struct rt_status flag_minor(const struct ctl *ctl, const char *name, const char *code,
			    int64_t *amount_minor)
{
	const struct rt_currency *currency = rt_currency_find(code);
	if (currency != NULL)
		return flag_amount(ctl, name, currency, amount_minor);
	const char *text = flag_text(ctl, name);
	char *end = NULL;
	errno = 0;
	*amount_minor = text != NULL ? strtoll(text, &end, 10) : 0;
	if (text == NULL || errno != 0 || end == text || *end != '\0')
		return CTL_USAGE_ERROR(
			"--%s must be a whole number of %.12s's smallest unit, not '%.24s'", name,
			code, text != NULL ? text : "");
	return rt_ok();
}

/* The digits after the point, as microseconds. NULL when there are too many. */
static const char *take_fraction(const char *text, int64_t *fraction_us)
{
	*fraction_us = 0;
	if (*text != '.')
		return text;
	int64_t unit_us = 100000;
	for (text++; *text >= '0' && *text <= '9'; text++, unit_us /= 10) {
		if (unit_us == 0)
			return NULL;
		*fraction_us += (*text - '0') * unit_us;
	}
	return text;
}

struct rt_status flag_moment(const struct ctl *ctl, const char *name, int64_t *wall_us)
{
	const char *text = flag_text(ctl, name);
	struct tm parts = {0};
	int64_t fraction_us = 0;
	const char *end = text != NULL ? strptime(text, "%Y-%m-%d", &parts) : NULL;
	if (end != NULL && *end == 'T') {
		end = strptime(end, "T%H:%M:%S", &parts);
		end = end != NULL ? take_fraction(end, &fraction_us) : NULL;
		end = end != NULL && *end == 'Z' ? end + 1 : NULL;
	}
	if (end == NULL || *end != '\0')
		return CTL_USAGE_ERROR("--%s must be a moment in UTC, such as 2026-11-22 or "
				       "2026-11-22T17:00:00.5Z, not '%.30s'",
				       name, text != NULL ? text : "");
	*wall_us = (int64_t)timegm(&parts) * 1000000 + fraction_us;
	return rt_ok();
}
