#include "table.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/text.h"

struct table_row {
	struct table_row *next;
	char *cells[TABLE_COLUMNS_MAX];
};

void table_init(struct table *table, struct rt_arena *arena, const char *const *heads)
{
	*table = (struct table){.arena = arena};
	for (; heads[table->columns] != NULL; table->columns++) {
		RT_ASSERT(table->columns < TABLE_COLUMNS_MAX);
		table->heads[table->columns] = heads[table->columns];
	}
}

void table_add(struct table *table, const char *const *cells)
{
	struct table_row *row = rt_arena_alloc(table->arena, sizeof(*row));
	RT_ASSERT(row != NULL);
	for (size_t i = 0; i < table->columns; i++) {
		RT_ASSERT(cells[i] != NULL);
		row->cells[i] = rt_arena_strdup(table->arena, cells[i]);
		RT_ASSERT(row->cells[i] != NULL);
		rt_text_tidy(row->cells[i]);
	}
	if (table->last != NULL)
		table->last->next = row;
	else
		table->first = row;
	table->last = row;
}

static bool is_right(const struct table *table, size_t column)
{
	return table->heads[column][0] == '>';
}

static const char *head(const struct table *table, size_t column)
{
	return table->heads[column] + (is_right(table, column) ? 1 : 0);
}

/* In characters. */
static size_t width(const char *text)
{
	size_t count = 0;
	size_t length = strlen(text);
	uint32_t character;
	for (size_t at = 0; at < length; count++) {
		size_t step = rt_utf8_next(text + at, length - at, &character);
		at += step > 0 ? step : 1;
	}
	return count;
}

static void widths_measure(const struct table *table, size_t widths[TABLE_COLUMNS_MAX])
{
	for (size_t i = 0; i < table->columns; i++) {
		widths[i] = width(head(table, i));
		for (const struct table_row *row = table->first; row != NULL; row = row->next) {
			size_t cell = width(row->cells[i]);
			widths[i] = cell > widths[i] ? cell : widths[i];
		}
	}
}

static void print_cell(const struct table *table, size_t column, const char *text, size_t full,
		       FILE *file)
{
	int padding = (int)(full - width(text));
	const char *gap = column > 0 ? "  " : "";
	if (is_right(table, column))
		fprintf(file, "%s%*s%s", gap, padding, "", text);
	else if (column + 1 < table->columns)
		fprintf(file, "%s%s%*s", gap, text, padding, "");
	else
		fprintf(file, "%s%s", gap, text);
}

void table_print(const struct table *table, FILE *file)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};
	bool headed = false;
	widths_measure(table, widths);
	for (size_t i = 0; i < table->columns; i++)
		headed = headed || head(table, i)[0] != '\0';
	for (size_t i = 0; headed && i < table->columns; i++)
		print_cell(table, i, head(table, i), widths[i], file);
	if (headed)
		fputc('\n', file);
	for (const struct table_row *row = table->first; row != NULL; row = row->next) {
		for (size_t i = 0; i < table->columns; i++)
			print_cell(table, i, row->cells[i], widths[i], file);
		fputc('\n', file);
	}
}
