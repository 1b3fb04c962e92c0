#include "domain/behaviour.h"

#include <inttypes.h>
#include <string.h>

#define NUMBER_DIGITS_MAX 9 /* more than any limit of the table, and within int64_t */

enum value_kind { KIND_FLAG, KIND_COUNT, KIND_REASON };

static const struct row {
	const char *name;
	enum value_kind kind;
	int64_t least, most, without;
	const char *unit;
	const char *prose;
} rows[] = {
#define BEHAVIOUR(id, name, kind, least, most, without, unit, prose)                               \
	[BEHAVIOUR_##id] = {name, KIND_##kind, least, most, without, unit, prose},
#include "domain/behaviour.def"
#undef BEHAVIOUR
};

/* A stretch of text. */
struct part {
	const char *text;
	size_t length;
};

bool behaviour_is_scripted(const char *instrument)
{
	return strncmp(instrument, BEHAVIOUR_PREFIX, strlen(BEHAVIOUR_PREFIX)) == 0;
}

static bool part_is(struct part part, const char *text)
{
	return strlen(text) == part.length && memcmp(part.text, text, part.length) == 0;
}

static int find_row(struct part name)
{
	for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
		if (part_is(name, rows[i].name))
			return i;
	}
	return -1;
}

static struct rt_status wrong_value(const char *field, const struct row *row)
{
	switch (row->kind) {
	case KIND_FLAG:
		return RT_BAD_FIELD("INVALID_FIELD", field, "%s takes no value", row->name);
	case KIND_COUNT:
		return RT_BAD_FIELD("INVALID_FIELD", field,
				    "%s takes %" PRId64 " to %" PRId64 " %s", row->name, row->least,
				    row->most, row->unit);
	case KIND_REASON:
		break;
	}
	return RT_BAD_FIELD("INVALID_FIELD", field,
			    "%s takes a reason in UPPER_SNAKE_CASE, up to %d characters", row->name,
			    BEHAVIOUR_REASON_CHARACTERS_MAX);
}

static bool parse_count(struct part value, const struct row *row, int64_t *number)
{
	int64_t sum = 0;

	if (value.length == 0 || value.length > NUMBER_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < value.length; i++) {
		if (value.text[i] < '0' || value.text[i] > '9')
			return false;
		sum = sum * 10 + (value.text[i] - '0');
	}
	*number = sum;
	return sum >= row->least && sum <= row->most;
}

static bool parse_reason(struct part value, char reason[BEHAVIOUR_REASON_CHARACTERS_MAX + 1])
{
	if (value.length == 0 || value.length > BEHAVIOUR_REASON_CHARACTERS_MAX)
		return false;
	for (size_t i = 0; i < value.length; i++) {
		char c = value.text[i];
		if (!(c >= 'A' && c <= 'Z') && !(i > 0 && ((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	memcpy(reason, value.text, value.length);
	reason[value.length] = '\0';
	return true;
}

static bool parse_value(int id, struct part value, struct behaviour *behaviour)
{
	const struct row *row = &rows[id];

	switch (row->kind) {
	case KIND_FLAG:
		return false;
	case KIND_COUNT:
		return parse_count(value, row, &behaviour->values[id]);
	case KIND_REASON:
		break;
	}
	behaviour->values[id] = 1;
	return parse_reason(value, behaviour->decline_reason);
}

/* One "name" or "name=value". */
static struct rt_status parse_part(const char *field, struct part part, struct behaviour *behaviour)
{
	const char *equals = memchr(part.text, '=', part.length);
	struct part name = {part.text, equals == NULL ? part.length : (size_t)(equals - part.text)};
	int id = find_row(name);

	if (id < 0)
		return RT_BAD_FIELD("INVALID_FIELD", field, "there is no behaviour \"%.*s\"",
				    (int)(name.length < 32 ? name.length : 32), name.text);
	if (behaviour->values[id] != 0)
		return RT_BAD_FIELD("INVALID_FIELD", field, "%s is told twice", rows[id].name);
	if (equals == NULL) {
		behaviour->values[id] = rows[id].without;
		return behaviour->values[id] != 0 ? rt_ok() : wrong_value(field, &rows[id]);
	}
	struct part value = {equals + 1, part.length - name.length - 1};
	return parse_value(id, value, behaviour) ? rt_ok() : wrong_value(field, &rows[id]);
}

static struct rt_status check_sense(const char *field, const struct behaviour *behaviour)
{
	const int64_t *values = behaviour->values;

	if (values[BEHAVIOUR_OK] != 0 && values[BEHAVIOUR_DECLINE] != 0)
		return RT_BAD_FIELD("INVALID_FIELD", field, "ok and decline contradict each other");
	if (values[BEHAVIOUR_NOTIFY_NONE] != 0 &&
	    (values[BEHAVIOUR_NOTIFY_TWICE] != 0 || values[BEHAVIOUR_NOTIFY_EARLY] != 0 ||
	     values[BEHAVIOUR_NOTIFY_OUT_OF_ORDER] != 0))
		return RT_BAD_FIELD("INVALID_FIELD", field,
				    "notify-none contradicts the other notify-");
	return rt_ok();
}

struct rt_status behaviour_parse(const char *field, const char *text, struct behaviour *behaviour)
{
	struct behaviour parsed = {.decline_reason = "DO_NOT_HONOR"};
	const char *at = text;

	for (;;) {
		size_t length = strcspn(at, ",");
		RT_TRY(parse_part(field, (struct part){at, length}, &parsed));
		if (at[length] == '\0')
			break;
		at += length + 1;
	}
	RT_TRY(check_sense(field, &parsed));
	*behaviour = parsed;
	return rt_ok();
}

static void print_values(const struct row *row, FILE *out)
{
	if (row->kind == KIND_FLAG)
		fprintf(out, "| `%s` | ", row->name);
	else
		fprintf(out, "| `%s=%s` | ", row->name, row->unit);
	if (row->kind == KIND_COUNT)
		fprintf(out, "%" PRId64 " to %" PRId64, row->least, row->most);
	else if (row->kind == KIND_REASON)
		fprintf(out, "UPPER_SNAKE_CASE");
	if (row->kind == KIND_COUNT && row->without != 0)
		fprintf(out, "; %" PRId64 " when left out", row->without);
}

void behaviour_print_reference(FILE *out)
{
	fprintf(out, "| behaviour | value | what happens |\n|---|---|---|\n");
	for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
		print_values(&rows[i], out);
		fprintf(out, " | %s |\n", rows[i].prose);
	}
}
