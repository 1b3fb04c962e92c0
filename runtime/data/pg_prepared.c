/* What each connection has prepared, and what a statement does. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "pg_internal.h"
#include "rt/assert.h"

#define STATEMENT_NAME_BYTES_MAX 63

static uint32_t hash_bytes(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 16777619u;
	return hash;
}

/* Skips blanks and comments. */
static const char *skip_blank(const char *sql)
{
	for (;;) {
		while (isspace((unsigned char)*sql))
			sql++;
		if (sql[0] == '-' && sql[1] == '-') {
			sql += strcspn(sql, "\n");
		} else if (sql[0] == '/' && sql[1] == '*') {
			const char *end = strstr(sql + 2, "*/");
			sql = end == NULL ? sql + strlen(sql) : end + 2;
		} else {
			return sql;
		}
	}
}

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static size_t word_length(const char *sql)
{
	size_t length = 0;
	while (is_word_byte(sql[length]))
		length++;
	return length;
}

static bool word_is_one_of(const char *word, size_t length, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == length && strncasecmp(word, *words, length) == 0)
			return true;
	return false;
}

/* Looks at every word, also those in literals: too careful is right here. */
static bool has_writing_word(const char *sql)
{
	static const char *const writing[] = {"insert", "update", "delete", "merge", NULL};
	while (*(sql = skip_blank(sql)) != '\0') {
		size_t length = word_length(sql);
		if (word_is_one_of(sql, length, writing))
			return true;
		sql += length == 0 ? 1 : length;
	}
	return false;
}

bool pg_sql_writes(const char *sql)
{
	static const char *const reading[] = {"select", "values", "table", "show", NULL};
	static const char *const with[] = {"with", NULL};
	sql = skip_blank(sql);
	size_t length = word_length(sql);
	if (word_is_one_of(sql, length, reading))
		return false;
	return !word_is_one_of(sql, length, with) || has_writing_word(sql);
}

static void check_params(struct pg_prepared *entry, const struct rt_pg_params *params)
{
	int count = params == NULL ? 0 : params->count;
	uint32_t hash = params == NULL ? 0
				       : hash_bytes(params->types,
						    (size_t)count * sizeof(params->types[0]));
	if (entry->known == PG_UNKNOWN) {
		entry->param_count = count;
		entry->types_hash = hash;
	}
	/* The server would read bytes of one type as those of another. */
	RT_ASSERT(entry->param_count == count);
	RT_ASSERT(count == 0 || entry->types_hash == hash);
}

struct pg_prepared *pg_prepared_find(struct rt_pg *pg, const struct rt_pg_statement *statement,
				     const struct rt_pg_params *params)
{
	size_t length = strlen(statement->name);
	RT_ASSERT(length > 0);
	RT_ASSERT(length <= STATEMENT_NAME_BYTES_MAX);
	size_t slot = hash_bytes(statement->name, length) % PG_PREPARED_SLOTS;
	for (size_t tried = 0; tried < PG_PREPARED_SLOTS; tried++) {
		struct pg_prepared *entry = &pg->prepared[slot];
		if (entry->statement == NULL) {
			*entry = (struct pg_prepared){
				.statement = statement,
				.seconds = RT_SERIES(PG_SECONDS, statement->name),
				.writes = pg_sql_writes(statement->sql),
			};
		}
		if (entry->statement == statement ||
		    strcmp(entry->statement->name, statement->name) == 0) {
			/* One name stands for one text. */
			RT_ASSERT(entry->statement->sql == statement->sql ||
				  strcmp(entry->statement->sql, statement->sql) == 0);
			check_params(entry, params);
			return entry;
		}
		slot = (slot + 1) % PG_PREPARED_SLOTS;
	}
	bool too_many_statements = true;
	RT_ASSERT(!too_many_statements);
	return NULL;
}

void pg_prepared_forget(struct rt_pg *pg)
{
	for (size_t i = 0; i < PG_PREPARED_SLOTS; i++)
		pg->prepared[i].known = PG_UNKNOWN;
}
