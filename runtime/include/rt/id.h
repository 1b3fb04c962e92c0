/* UUIDs (RFC 9562) and randomness. Parsing, comparing and deriving are pure; making new ones is not
 * for domain code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/status.h"

struct rt_uuid {
	uint8_t bytes[16];
};

#define RT_UUID_TEXT_BYTES 37

/* A new version 7 id: time-ordered, also within one millisecond of one process. Thread: any. */
struct rt_uuid rt_uuid_v7(void);
/* A version 8 id that depends on `space` and `name` alone (SHA-256). Keeps the first 48 bits of
 * `space`, so that what is derived from a time-ordered id is time-ordered too. Pure. */
struct rt_uuid rt_uuid_derive(const struct rt_uuid *space, const char *name);
/* Accepts the 36-character form only, hex digits of either case. Returns false otherwise. Pure. */
bool rt_uuid_parse(const char *text, struct rt_uuid *uuid);
/* The same for a request's field: INVALID_ARGUMENT INVALID_UUID naming the field when malformed or
 * nil. Pure. */
struct rt_status rt_uuid_field(const char *field, const char *text, struct rt_uuid *uuid);
/* Lower case. Pure. */
void rt_uuid_format(const struct rt_uuid *uuid, char text[RT_UUID_TEXT_BYTES]);
int rt_uuid_compare(const struct rt_uuid *a, const struct rt_uuid *b);
bool rt_uuid_equal(const struct rt_uuid *a, const struct rt_uuid *b);
bool rt_uuid_is_nil(const struct rt_uuid *uuid);

/* Fills with cryptographically strong randomness; aborts when the system has none. */
void rt_random_bytes(void *bytes, size_t length);
/* Uniform in 0 .. bound-1; bound > 0. */
uint64_t rt_random_below(uint64_t bound);
