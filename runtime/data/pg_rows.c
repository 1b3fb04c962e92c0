/* Reading results. */
#include <string.h>

#include "pg_binary.h"
#include "pg_internal.h"
#include "rt/assert.h"

/* Types that are read as text, and the first number that a type made in the database can have (an
 * enumeration, say). */
enum { OID_CHAR = 18, OID_NAME = 19, OID_JSON = 114, OID_UNKNOWN = 705, OID_BPCHAR = 1042 };
enum { OID_VARCHAR = 1043, OID_JSONB = 3802, OID_FIRST_USER = 16384 };

void rt_pg_rows_deinit(struct rt_pg_rows *rows)
{
	PQclear(rows->result);
	*rows = (struct rt_pg_rows){0};
}

int64_t rt_pg_affected(const struct rt_pg_rows *rows)
{
	if (rows->result == NULL)
		return 0;
	int64_t count = 0;
	for (const char *at = PQcmdTuples(rows->result); *at >= '0' && *at <= '9'; at++)
		count = count * 10 + (*at - '0');
	return count;
}

static void check_cell(const struct rt_pg_rows *rows, int row, int column)
{
	RT_ASSERT(rows->result != NULL);
	RT_ASSERT(row >= 0 && row < rows->count);
	RT_ASSERT(column >= 0 && column < PQnfields(rows->result));
}

bool rt_pg_is_null(const struct rt_pg_rows *rows, int row, int column)
{
	check_cell(rows, row, column);
	return PQgetisnull(rows->result, row, column) != 0;
}

static Oid type_of(const struct rt_pg_rows *rows, int row, int column)
{
	check_cell(rows, row, column);
	return PQftype(rows->result, column);
}

/* A value that must be there, of a known width. */
static const char *fixed(const struct rt_pg_rows *rows, int row, int column, int width)
{
	RT_ASSERT(!PQgetisnull(rows->result, row, column));
	RT_ASSERT(PQgetlength(rows->result, row, column) == width);
	return PQgetvalue(rows->result, row, column);
}

int64_t rt_pg_int(const struct rt_pg_rows *rows, int row, int column)
{
	Oid type = type_of(rows, row, column);
	if (type == RT_PG_BIGINT)
		return (int64_t)pg_get_u64(fixed(rows, row, column, 8));
	if (type == RT_PG_INTEGER)
		return (int32_t)pg_get_u32(fixed(rows, row, column, 4));
	RT_ASSERT(type == RT_PG_SMALLINT);
	return (int16_t)pg_get_u16(fixed(rows, row, column, 2));
}

bool rt_pg_bool(const struct rt_pg_rows *rows, int row, int column)
{
	RT_ASSERT(type_of(rows, row, column) == RT_PG_BOOL);
	return *fixed(rows, row, column, 1) != 0;
}

struct rt_uuid rt_pg_uuid(const struct rt_pg_rows *rows, int row, int column)
{
	struct rt_uuid uuid;
	RT_ASSERT(type_of(rows, row, column) == RT_PG_UUID);
	memcpy(uuid.bytes, fixed(rows, row, column, sizeof(uuid.bytes)), sizeof(uuid.bytes));
	return uuid;
}

int64_t rt_pg_time_us(const struct rt_pg_rows *rows, int row, int column)
{
	RT_ASSERT(type_of(rows, row, column) == RT_PG_TIMESTAMPTZ);
	return pg_time_to_wall((int64_t)pg_get_u64(fixed(rows, row, column, 8)));
}

uint64_t rt_pg_place(const struct rt_pg_rows *rows, int row, int column)
{
	uint64_t place = 0;
	RT_ASSERT(type_of(rows, row, column) == RT_PG_TID);
	memcpy(&place, fixed(rows, row, column, PG_PLACE_BYTES), PG_PLACE_BYTES);
	return place;
}

static bool reads_as_text(Oid type)
{
	switch (type) {
	case RT_PG_TEXT:
	case OID_CHAR:
	case OID_NAME:
	case OID_JSON:
	case OID_UNKNOWN:
	case OID_BPCHAR:
	case OID_VARCHAR:
	case OID_JSONB:
		return true;
	default:
		return type >= OID_FIRST_USER;
	}
}

const char *rt_pg_text(const struct rt_pg_rows *rows, int row, int column)
{
	Oid type = type_of(rows, row, column);
	RT_ASSERT(reads_as_text(type));
	if (PQgetisnull(rows->result, row, column))
		return NULL;
	/* jsonb carries the version of its format, always 1, before the text. */
	return PQgetvalue(rows->result, row, column) + (type == OID_JSONB ? 1 : 0);
}

const uint8_t *rt_pg_bytes(const struct rt_pg_rows *rows, int row, int column, size_t *length)
{
	RT_ASSERT(type_of(rows, row, column) == RT_PG_BYTEA);
	*length = 0;
	if (PQgetisnull(rows->result, row, column))
		return NULL;
	*length = (size_t)PQgetlength(rows->result, row, column);
	return (const uint8_t *)PQgetvalue(rows->result, row, column);
}
