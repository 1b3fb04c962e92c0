/* Just enough of PostgreSQL's lexical structure to tell plain SQL from what is quoted. Source:
 * PostgreSQL documentation, "Lexical Structure". */
#include "migrate_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"

#define ROLE_WORD ":runtime_role"

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* The length of '...' or "..."; a doubled quote does not end it, nor, in E'', one behind a
 * backslash. */
static size_t quoted_length(const char *sql, bool escapes)
{
	size_t i = 1;
	while (sql[i] != '\0') {
		bool doubled = sql[i] == sql[0] && sql[i + 1] == sql[0];
		bool escaped = escapes && sql[i] == '\\' && sql[i + 1] != '\0';
		if (sql[i] == sql[0] && !doubled)
			return i + 1;
		i += doubled || escaped ? 2 : 1;
	}
	return i;
}

static size_t block_comment_length(const char *sql)
{
	size_t i = 2;
	for (int depth = 1; depth > 0 && sql[i] != '\0'; i++) {
		if (sql[i] == '/' && sql[i + 1] == '*') {
			depth++;
			i++;
		} else if (sql[i] == '*' && sql[i + 1] == '/') {
			depth--;
			i++;
		}
	}
	return i;
}

/* The length of $tag$...$tag$; 0 when this is no such quote. */
static size_t dollar_length(const char *sql)
{
	size_t tag = 1;
	while (sql[tag] != '$' && is_word_byte(sql[tag]))
		tag++;
	if (sql[tag] != '$' || isdigit((unsigned char)sql[1]))
		return 0;
	tag++;
	for (const char *at = sql + tag; *at != '\0'; at++)
		if (strncmp(at, sql, tag) == 0)
			return (size_t)(at - sql) + tag;
	return strlen(sql);
}

static size_t word_length(const char *sql)
{
	size_t length = 0;
	while (is_word_byte(sql[length]))
		length++;
	return length;
}

/* The length of what begins here and is one piece for this purpose. */
static size_t piece_length(const char *sql)
{
	if ((sql[0] == 'E' || sql[0] == 'e') && sql[1] == '\'')
		return 1 + quoted_length(sql + 1, true);
	if (is_word_byte(sql[0]) && sql[0] != '$')
		return word_length(sql);
	if (sql[0] == '\'' || sql[0] == '"')
		return quoted_length(sql, false);
	if (sql[0] == '-' && sql[1] == '-')
		return strcspn(sql, "\n");
	if (sql[0] == '/' && sql[1] == '*')
		return block_comment_length(sql);
	if (sql[0] == ':' && sql[1] == ':')
		return 2;
	size_t dollar = sql[0] == '$' ? dollar_length(sql) : 0;
	return dollar > 0 ? dollar : 1;
}

static bool is_role_word(const char *sql)
{
	size_t length = strlen(ROLE_WORD);
	return strncmp(sql, ROLE_WORD, length) == 0 && !is_word_byte(sql[length]);
}

static void put_identifier(FILE *out, const char *name)
{
	fputc('"', out);
	for (; *name != '\0'; name++) {
		if (*name == '"')
			fputc('"', out);
		fputc(*name, out);
	}
	fputc('"', out);
}

char *migrate_text(const char *sql, const char *runtime_role)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	RT_ASSERT(out != NULL);
	while (*sql != '\0') {
		if (is_role_word(sql)) {
			put_identifier(out, runtime_role);
			sql += strlen(ROLE_WORD);
			continue;
		}
		size_t piece = piece_length(sql);
		fwrite(sql, 1, piece, out);
		sql += piece;
	}
	int failed = fclose(out);
	RT_ASSERT(failed == 0);
	return text;
}
