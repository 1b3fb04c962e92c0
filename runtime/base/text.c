#include "rt/text.h"

#include <string.h>

/* What a lead byte says: the length of its sequence, the least character that may be written so (an
 * overlong form says less), and the bits that it holds itself. */
struct lead {
	size_t length;
	uint32_t least;
	uint32_t bits;
};

static struct lead lead_of(unsigned char byte)
{
	if (byte < 0x80)
		return (struct lead){1, 0, byte};
	if (byte >= 0xc2 && byte <= 0xdf)
		return (struct lead){2, 0x80, byte & 0x1fU};
	if (byte >= 0xe0 && byte <= 0xef)
		return (struct lead){3, 0x800, byte & 0x0fU};
	if (byte >= 0xf0 && byte <= 0xf4)
		return (struct lead){4, 0x10000, byte & 0x07U};
	return (struct lead){0, 0, 0};
}

size_t rt_utf8_next(const char *text, size_t length, uint32_t *character)
{
	if (length == 0)
		return 0;
	struct lead lead = lead_of((unsigned char)text[0]);
	if (lead.length == 0 || lead.length > length)
		return 0;
	uint32_t value = lead.bits;
	for (size_t i = 1; i < lead.length; i++) {
		unsigned char byte = (unsigned char)text[i];
		if ((byte & 0xc0U) != 0x80U)
			return 0;
		value = (value << 6) | (byte & 0x3fU);
	}
	bool surrogate = value >= 0xd800 && value <= 0xdfff;
	if (value < lead.least || value > 0x10ffff || surrogate)
		return 0;
	*character = value;
	return lead.length;
}

bool rt_text_is_utf8(const char *text, size_t length)
{
	uint32_t character;
	for (size_t i = 0; i < length;) {
		size_t step = rt_utf8_next(text + i, length - i, &character);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/* True when what is left can only be the beginning of a sequence that was cut off. */
static bool is_cut_tail(const char *text, size_t length)
{
	struct lead lead = lead_of((unsigned char)text[0]);
	if (lead.length <= length)
		return false;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0U) != 0x80U)
			return false;
	return true;
}

void rt_text_tidy(char *text)
{
	size_t length = strlen(text);
	uint32_t character;
	for (size_t i = 0; i < length;) {
		size_t step = rt_utf8_next(text + i, length - i, &character);
		if (step == 0 && is_cut_tail(text + i, length - i)) {
			text[i] = '\0';
			return;
		}
		/* Also those of two bytes: terminals obey them, too. */
		if (step == 0 || is_control(character)) {
			step = step == 0 ? 1 : step;
			memset(text + i, '?', step);
		}
		i += step;
	}
}

/* Counts the characters; false when the text is not UTF-8 without control characters. */
static bool count_characters(const char *text, size_t length, size_t *count)
{
	uint32_t character;
	*count = 0;
	for (size_t i = 0; i < length; (*count)++) {
		size_t step = rt_utf8_next(text + i, length - i, &character);
		if (step == 0 || is_control(character))
			return false;
		i += step;
	}
	return true;
}

struct rt_status rt_text_field(const char *field, const char *text, size_t characters_min,
			       size_t characters_max)
{
	const char *given = text == NULL ? "" : text;
	size_t count;
	if (!count_characters(given, strlen(given), &count))
		return RT_BAD_FIELD("INVALID_TEXT", field,
				    "must be UTF-8 without control characters");
	if (count < characters_min || count > characters_max)
		return RT_BAD_FIELD("INVALID_LENGTH", field,
				    "must have %zu to %zu characters, has %zu", characters_min,
				    characters_max, count);
	return rt_ok();
}

static bool is_visible_ascii(char character)
{
	return character >= 0x21 && character <= 0x7e;
}

struct rt_status rt_ascii_field(const char *field, const char *text, size_t bytes_min,
				size_t bytes_max, const char *allowed)
{
	const char *given = text == NULL ? "" : text;
	size_t length = strlen(given);
	for (size_t i = 0; i < length; i++) {
		if (!is_visible_ascii(given[i]))
			return RT_BAD_FIELD("INVALID_TEXT", field,
					    "must be visible ASCII without spaces");
		if (allowed != NULL && strchr(allowed, given[i]) == NULL)
			return RT_BAD_FIELD("INVALID_TEXT", field, "may not contain '%c'",
					    given[i]);
	}
	if (length < bytes_min || length > bytes_max)
		return RT_BAD_FIELD("INVALID_LENGTH", field,
				    "must have %zu to %zu characters, has %zu", bytes_min,
				    bytes_max, length);
	return rt_ok();
}
