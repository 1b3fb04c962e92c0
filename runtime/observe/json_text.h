/* Writes JSON into a buffer of fixed size without ever allocating or passing its end. For log.c and
 * admin_http.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What does not fit is left out, and `cut` says so; what is there is always whole tokens. */
struct json_text {
	char *bytes;
	size_t length;
	size_t capacity;
	bool cut;
};

/* Appends text as it is, wholly or not at all. */
bool json_text_raw(struct json_text *json, const char *text, size_t length);
/* Appends ,"name": (without the comma after an opening bracket), and makes sure that `value_bytes`
 * more would fit. */
bool json_text_name(struct json_text *json, const char *name, size_t value_bytes);
/* Appends a quoted string; what does not fit is cut off at a character, and bytes that are not
 * UTF-8 become U+FFFD. NULL becomes null. There must be room for 4 bytes. */
void json_text_string(struct json_text *json, const char *text);
/* "name":"value" and the like, with what they need in front; left out when there is no room. */
void json_text_add_string(struct json_text *json, const char *name, const char *text);
void json_text_add_int(struct json_text *json, const char *name, int64_t number);
void json_text_add_bool(struct json_text *json, const char *name, bool truth);
