#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "json.h"
#include "rt/assert.h"
#include "rt/clock.h"

/* What a person can do about a refusal. */
static const struct advice {
	const char *reason;
	const char *text;
} advices[] = {
	{"TOKEN_REQUIRED", "log in first: export DALER_TOKEN=$(dalerctl login --username U "
			   "--password-file F --print-token)"},
	{"TOKEN_EXPIRED", "log in again: export DALER_TOKEN=$(dalerctl login --username U "
			  "--password-file F --print-token)"},
	{"INVALID_TOKEN", "DALER_TOKEN is not a token of this environment: log in again"},
	{"BAD_CREDENTIALS", "username or password are wrong; which of the two is not told"},
	{"LOGIN_THROTTLED",
	 "passwords were tried too often with this username: wait, and make sure "
	 "of it; it was not looked at"},
	{"IDENTITY_DENIED",
	 "this certificate may not call it: give the operator's with --cert and --cert-key"},
	{"ROLE_DENIED", "the user of this token may not do it: log in as one with another role"},
	{"IDEMPOTENCY_PAYLOAD_MISMATCH",
	 "this key or id was used before with another content: choose a new one"},
	{"SECRET_UNREADABLE", "check the file's name and its permissions"},
	{"CONNECTOR_NOT_REGISTERED",
	 "name its account first: dalerctl connector register-clearing"},
	{"OPERATION_UNSUPPORTED", "this connector does not do it: choose another connector"},
	{"CURRENCY_UNSUPPORTED", "this connector does not take it: choose another connector"},
	{"AMOUNT_UNSUPPORTED", "this connector gives back whole payments only"},
};

bool show_is_json(const struct ctl *ctl)
{
	return ctl->settings[SETTING_JSON] != NULL;
}

void show_json(const ProtobufCMessage *reply)
{
	json_t *object = json_message(reply);
	json_dumpf(object, stdout, JSON_INDENT(2));
	fputc('\n', stdout);
	json_decref(object);
}

static enum ctl_exit exit_of(const struct rt_status *status)
{
	if (status->reason != NULL && strcmp(status->reason, "USAGE") == 0)
		return CTL_USAGE;
	return rt_code_retryable(status->code) ? CTL_UNCERTAIN : CTL_REFUSED;
}

static const char *advice_of(const struct rt_status *status, enum ctl_exit exit)
{
	for (size_t i = 0; status->reason != NULL && i < CTL_COUNT(advices); i++) {
		if (strcmp(advices[i].reason, status->reason) == 0)
			return advices[i].text;
	}
	if (exit == CTL_UNCERTAIN)
		return "not reached, or its answer was lost: repeat the same command; the same key "
		       "or id never "
		       "happens twice";
	return NULL;
}

static void print_error_json(const struct rt_status *status, const char *reason)
{
	json_t *error =
		json_pack("{s:{s:s, s:s, s:s, s:s}}", "error", "code", rt_code_name(status->code),
			  "reason", reason, "field", status->field, "message", status->detail);
	json_dumpf(error, stderr, JSON_INDENT(2));
	fputc('\n', stderr);
	json_decref(error);
}

enum ctl_exit show_error(const struct ctl *ctl, const struct rt_status *status)
{
	const char *reason = status->reason != NULL ? status->reason : rt_code_name(status->code);
	enum ctl_exit exit = exit_of(status);
	const char *advice = advice_of(status, exit);
	if (show_is_json(ctl)) {
		print_error_json(status, reason);
		return exit;
	}
	if (exit == CTL_USAGE) {
		fprintf(stderr, "dalerctl: %s\n", status->detail);
		fprintf(stderr, "`dalerctl%s%s%s%s --help` says more\n",
			ctl->group != NULL ? " " : "", ctl->group != NULL ? ctl->group->name : "",
			ctl->command != NULL && ctl->command->verb != NULL ? " " : "",
			ctl->command != NULL && ctl->command->verb != NULL ? ctl->command->verb
									   : "");
		return exit;
	}
	fprintf(stderr, "dalerctl: %s (%s)", reason, rt_code_name(status->code));
	if (status->field[0] != '\0')
		fprintf(stderr, ", field %s", status->field);
	fprintf(stderr, "%s%s\n", status->detail[0] != '\0' ? ": " : "", status->detail);
	if (advice != NULL)
		fprintf(stderr, "  %s\n", advice);
	return exit;
}

void show_made(const char *what, const char *value)
{
	fprintf(stderr, "dalerctl: new %s %s\n", what, value);
}

const char *show_amount(struct ctl *ctl, int64_t amount_minor, const char *currency)
{
	const struct rt_currency *known = rt_currency_find(currency);
	char text[RT_MONEY_TEXT_BYTES];
	if (known == NULL)
		return show_int(ctl, amount_minor);
	rt_money_format(amount_minor, known->exponent, text);
	return rt_arena_strdup(&ctl->arena, text);
}

const char *show_sum(struct ctl *ctl, const char *digits, const char *currency)
{
	static const char zeros[] = "0000"; /* ISO 4217 has no more digits after the point */
	const struct rt_currency *known = rt_currency_find(currency);
	size_t places = known == NULL ? 0 : known->exponent;
	size_t length = strlen(digits);
	if (places == 0)
		return digits;
	if (length <= places)
		return rt_arena_printf(&ctl->arena, "0.%.*s%s", (int)(places - length), zeros,
				       digits);
	return rt_arena_printf(&ctl->arena, "%.*s.%s", (int)(length - places), digits,
			       digits + length - places);
}

const char *show_money(struct ctl *ctl, int64_t amount_minor, const char *currency)
{
	return rt_arena_printf(&ctl->arena, "%s %s", show_amount(ctl, amount_minor, currency),
			       currency);
}

const char *show_time(struct ctl *ctl, const Google__Protobuf__Timestamp *time)
{
	char text[RT_TIME_TEXT_BYTES];
	if (time == NULL)
		return "";
	rt_clock_format(time->seconds * RT_US_PER_S + time->nanos / 1000, text);
	return rt_arena_strdup(&ctl->arena, text);
}

const char *show_int(struct ctl *ctl, int64_t value)
{
	return rt_arena_printf(&ctl->arena, "%" PRId64, value);
}

const char *show_enum(const ProtobufCEnumDescriptor *descriptor, int value, const char *prefix)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);
	size_t length = strlen(prefix);
	if (known == NULL)
		return "?";
	return strncmp(known->name, prefix, length) == 0 ? known->name + length : known->name;
}

void show_record_init(struct ctl *ctl, struct table *table)
{
	TABLE_HEADS(table, &ctl->arena, "", "");
}

void show_more(const char *next_page_token)
{
	if (next_page_token[0] != '\0')
		printf("more: --page-token %s\n", next_page_token);
}
