#include "json_text.h"

#include <string.h>

#include "rt/text.h"

#define INT_TEXT_BYTES 20 /* "-9223372036854775808" */

bool json_text_raw(struct json_text *json, const char *text, size_t length)
{
	if (json->capacity - json->length < length) {
		json->cut = true;
		return false;
	}
	memcpy(json->bytes + json->length, text, length);
	json->length += length;
	return true;
}

/* How one character is written in a string. */
struct written {
	char bytes[6];
	size_t length;
};

static struct written write_control(unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	switch (byte) {
	case '"':
		return (struct written){"\\\"", 2};
	case '\\':
		return (struct written){"\\\\", 2};
	case '\n':
		return (struct written){"\\n", 2};
	case '\r':
		return (struct written){"\\r", 2};
	case '\t':
		return (struct written){"\\t", 2};
	default:
		return (struct written){
			{'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 0x0fU]}, 6};
	}
}

static bool is_plain(char character)
{
	unsigned char byte = (unsigned char)character;
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Writes the character at the beginning of the text, and says how many bytes of the text it took.
 */
static struct written write_character(const char *text, size_t length, size_t *taken)
{
	uint32_t character;
	*taken = rt_utf8_next(text, length, &character);
	if (*taken == 0) {
		*taken = 1;
		return (struct written){"\xef\xbf\xbd", 3};
	}
	if (character <= 0x9f) /* to a terminal, those above ASCII are controls as well */
		return write_control((unsigned char)character);
	struct written whole = {.length = *taken};
	memcpy(whole.bytes, text, *taken);
	return whole;
}

/* Appends what is inside the quotes, up to the last byte, which the closing quote needs. */
static void append_escaped(struct json_text *json, const char *text, size_t length)
{
	const size_t end = json->capacity - 1;
	for (size_t i = 0; i < length;) {
		size_t plain = 0;
		while (i + plain < length && is_plain(text[i + plain]))
			plain++;
		size_t room = end - json->length;
		size_t copied = plain < room ? plain : room;
		memcpy(json->bytes + json->length, text + i, copied);
		json->length += copied;
		i += copied;
		if (i == length)
			return;
		size_t taken;
		struct written written = write_character(text + i, length - i, &taken);
		if (copied < plain || end - json->length < written.length) {
			json->cut = true;
			return;
		}
		memcpy(json->bytes + json->length, written.bytes, written.length);
		json->length += written.length;
		i += taken;
	}
}

void json_text_string(struct json_text *json, const char *text)
{
	if (text == NULL) {
		json_text_raw(json, "null", 4);
		return;
	}
	if (json->capacity - json->length < 2) {
		json->cut = true;
		return;
	}
	json->bytes[json->length++] = '"';
	append_escaped(json, text, strlen(text));
	json->bytes[json->length++] = '"';
}

static bool follows_bracket(const struct json_text *json)
{
	if (json->length == 0)
		return true;
	char last = json->bytes[json->length - 1];
	return last == '{' || last == '[';
}

bool json_text_name(struct json_text *json, const char *name, size_t value_bytes)
{
	size_t length = strlen(name);
	if (json->capacity - json->length < length + 4 + value_bytes) {
		json->cut = true;
		return false;
	}
	if (!follows_bracket(json))
		json_text_raw(json, ",", 1);
	json_text_raw(json, "\"", 1);
	json_text_raw(json, name, length);
	json_text_raw(json, "\":", 2);
	return true;
}

void json_text_add_string(struct json_text *json, const char *name, const char *text)
{
	if (json_text_name(json, name, 4))
		json_text_string(json, text);
}

void json_text_add_int(struct json_text *json, const char *name, int64_t number)
{
	if (!json_text_name(json, name, INT_TEXT_BYTES))
		return;
	char reversed[INT_TEXT_BYTES];
	size_t at = sizeof(reversed);
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	do {
		reversed[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (number < 0)
		reversed[--at] = '-';
	json_text_raw(json, reversed + at, sizeof(reversed) - at);
}

void json_text_add_bool(struct json_text *json, const char *name, bool truth)
{
	if (!json_text_name(json, name, 5))
		return;
	if (truth)
		json_text_raw(json, "true", 4);
	else
		json_text_raw(json, "false", 5);
}
