/* Parameters in PostgreSQL's binary formats. Source: the send and receive functions of the server's
 * types; arrays are dimensions, null flag, element type, then (size, lower bound), then elements.
 */
#include <endian.h>
#include <limits.h>
#include <string.h>

#include "pg_binary.h"
#include "rt/assert.h"
#include "rt/pg.h"

void rt_pg_params_init(struct rt_pg_params *params, struct rt_arena *arena)
{
	params->arena = arena;
	params->count = 0;
	params->overflowed = false;
}

static void add(struct rt_pg_params *params, enum rt_pg_type type, const void *value, size_t length)
{
	RT_ASSERT(params->count < RT_PG_PARAMS_MAX);
	if (length > INT_MAX) {
		params->overflowed = true;
		return;
	}
	params->types[params->count] = type;
	params->values[params->count] = value;
	params->lengths[params->count] = (int)length;
	params->count++;
}

/* Memory for a value that is made here; on failure a null stands in, which is never sent. */
static uint8_t *take(struct rt_pg_params *params, size_t length)
{
	uint8_t *bytes = params->overflowed ? NULL : rt_arena_alloc(params->arena, length);
	if (bytes == NULL)
		params->overflowed = true;
	return bytes;
}

static void add_u64(struct rt_pg_params *params, enum rt_pg_type type, uint64_t value)
{
	uint8_t *bytes = take(params, sizeof(value));
	if (bytes != NULL)
		pg_put_u64(bytes, value);
	add(params, type, bytes, sizeof(value));
}

void rt_pg_add_int(struct rt_pg_params *params, int64_t value)
{
	add_u64(params, RT_PG_BIGINT, (uint64_t)value);
}

void rt_pg_add_bool(struct rt_pg_params *params, bool value)
{
	add(params, RT_PG_BOOL, value ? "\1" : "\0", 1);
}

void rt_pg_add_text(struct rt_pg_params *params, const char *value)
{
	add(params, RT_PG_TEXT, value, value == NULL ? 0 : strlen(value));
}

void rt_pg_add_uuid(struct rt_pg_params *params, const struct rt_uuid *value)
{
	add(params, RT_PG_UUID, value == NULL ? NULL : value->bytes, sizeof(value->bytes));
}

void rt_pg_add_bytes(struct rt_pg_params *params, const void *bytes, size_t length)
{
	add(params, RT_PG_BYTEA, bytes, length);
}

void rt_pg_add_time(struct rt_pg_params *params, int64_t wall_us)
{
	add_u64(params, RT_PG_TIMESTAMPTZ, (uint64_t)pg_time_from_wall(wall_us));
}

void rt_pg_add_null(struct rt_pg_params *params, enum rt_pg_type type)
{
	add(params, type, NULL, 0);
}

/* Takes memory for an array and writes its head; returns where the elements begin. */
static uint8_t *begin_array(struct rt_pg_params *params, enum rt_pg_type type,
			    enum rt_pg_type element, size_t count, bool has_null, size_t data_bytes)
{
	size_t dimensions = count == 0 ? 0 : 1;
	size_t length;
	if (count > INT32_MAX || __builtin_mul_overflow(count, sizeof(uint32_t), &length) ||
	    __builtin_add_overflow(length, data_bytes, &length) ||
	    __builtin_add_overflow(length, 12 + 8 * dimensions, &length)) {
		params->overflowed = true;
		length = 0;
	}
	uint8_t *bytes = take(params, length);
	add(params, type, bytes, length);
	if (bytes == NULL)
		return NULL;
	pg_put_u32(bytes, (uint32_t)dimensions);
	pg_put_u32(bytes + 4, has_null ? 1 : 0);
	pg_put_u32(bytes + 8, (uint32_t)element);
	if (count == 0)
		return bytes + 12;
	pg_put_u32(bytes + 12, (uint32_t)count);
	pg_put_u32(bytes + 16, 1);
	return bytes + 20;
}

static bool any(const bool *flags, size_t count)
{
	return flags != NULL && memchr(flags, true, count) != NULL;
}

static size_t nulls_in(const bool *nulls, size_t count)
{
	size_t found = 0;
	for (size_t i = 0; nulls != NULL && i < count; i++)
		found += nulls[i] ? 1 : 0;
	return found;
}

static uint8_t *put_length(uint8_t *at, size_t length)
{
	pg_put_u32(at, (uint32_t)length);
	return at + 4;
}

static uint8_t *put_null(uint8_t *at)
{
	return put_length(at, UINT32_MAX);
}

void rt_pg_add_int_array(struct rt_pg_params *params, const int64_t *values, const bool *nulls,
			 size_t count)
{
	uint8_t *at = begin_array(params, RT_PG_BIGINT_ARRAY, RT_PG_BIGINT, count,
				  any(nulls, count), (count - nulls_in(nulls, count)) * 8);
	for (size_t i = 0; at != NULL && i < count; i++) {
		if (nulls != NULL && nulls[i]) {
			at = put_null(at);
			continue;
		}
		at = put_length(at, 8);
		pg_put_u64(at, (uint64_t)values[i]);
		at += 8;
	}
}

void rt_pg_add_smallint_array(struct rt_pg_params *params, const int64_t *values, const bool *nulls,
			      size_t count)
{
	uint8_t *at = begin_array(params, RT_PG_SMALLINT_ARRAY, RT_PG_SMALLINT, count,
				  any(nulls, count), (count - nulls_in(nulls, count)) * 2);
	for (size_t i = 0; at != NULL && i < count; i++) {
		if (nulls != NULL && nulls[i]) {
			at = put_null(at);
			continue;
		}
		RT_ASSERT(values[i] >= INT16_MIN);
		RT_ASSERT(values[i] <= INT16_MAX);
		at = put_length(at, 2);
		uint16_t bits = htobe16((uint16_t)(int16_t)values[i]);
		memcpy(at, &bits, sizeof(bits));
		at += 2;
	}
}

void rt_pg_add_bool_array(struct rt_pg_params *params, const bool *values, size_t count)
{
	uint8_t *at = begin_array(params, RT_PG_BOOL_ARRAY, RT_PG_BOOL, count, false, count);
	for (size_t i = 0; at != NULL && i < count; i++) {
		at = put_length(at, 1);
		*at++ = values[i] ? 1 : 0;
	}
}

void rt_pg_add_uuid_array(struct rt_pg_params *params, const struct rt_uuid *values,
			  const bool *nulls, size_t count)
{
	uint8_t *at = begin_array(params, RT_PG_UUID_ARRAY, RT_PG_UUID, count, any(nulls, count),
				  (count - nulls_in(nulls, count)) * sizeof(values->bytes));
	for (size_t i = 0; at != NULL && i < count; i++) {
		if (nulls != NULL && nulls[i]) {
			at = put_null(at);
			continue;
		}
		at = put_length(at, sizeof(values[i].bytes));
		memcpy(at, values[i].bytes, sizeof(values[i].bytes));
		at += sizeof(values[i].bytes);
	}
}

void rt_pg_add_place_array(struct rt_pg_params *params, const uint64_t *places, size_t count)
{
	uint8_t *at = begin_array(params, RT_PG_TID_ARRAY, RT_PG_TID, count, false,
				  count * PG_PLACE_BYTES);
	for (size_t i = 0; at != NULL && i < count; i++) {
		at = put_length(at, PG_PLACE_BYTES);
		memcpy(at, &places[i], PG_PLACE_BYTES);
		at += PG_PLACE_BYTES;
	}
}

void rt_pg_add_text_array(struct rt_pg_params *params, const char *const *values, size_t count)
{
	size_t data_bytes = 0;
	bool has_null = false;
	for (size_t i = 0; i < count; i++) {
		size_t length = values[i] == NULL ? 0 : strlen(values[i]);
		has_null = has_null || values[i] == NULL;
		if (__builtin_add_overflow(data_bytes, length, &data_bytes))
			params->overflowed = true;
	}
	uint8_t *at =
		begin_array(params, RT_PG_TEXT_ARRAY, RT_PG_TEXT, count, has_null, data_bytes);
	for (size_t i = 0; at != NULL && i < count; i++) {
		if (values[i] == NULL) {
			at = put_null(at);
			continue;
		}
		size_t length = strlen(values[i]);
		at = put_length(at, length);
		memcpy(at, values[i], length);
		at += length;
	}
}

void rt_pg_add_bytes_array(struct rt_pg_params *params, const void *bytes, size_t width,
			   size_t count)
{
	size_t data_bytes;
	if (__builtin_mul_overflow(width, count, &data_bytes)) {
		params->overflowed = true;
		data_bytes = 0;
	}
	const uint8_t *from = bytes;
	uint8_t *at = begin_array(params, RT_PG_BYTEA_ARRAY, RT_PG_BYTEA, count, false, data_bytes);
	for (size_t i = 0; at != NULL && i < count; i++) {
		at = put_length(at, width);
		memcpy(at, from + i * width, width);
		at += width;
	}
}

void rt_pg_add_time_array(struct rt_pg_params *params, const int64_t *wall_us, size_t count)
{
	uint8_t *at = begin_array(params, RT_PG_TIMESTAMPTZ_ARRAY, RT_PG_TIMESTAMPTZ, count, false,
				  count * 8);
	for (size_t i = 0; at != NULL && i < count; i++) {
		at = put_length(at, 8);
		pg_put_u64(at, (uint64_t)pg_time_from_wall(wall_us[i]));
		at += 8;
	}
}
