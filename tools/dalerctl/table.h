/* Tables of text for people. For this tool's files. */
#pragma once

#include <stdio.h>

#include "rt/arena.h"

#define TABLE_COLUMNS_MAX 12

struct table_row;

struct table {
	struct rt_arena *arena;
	struct table_row *first, *last;
	size_t columns;
	const char *heads[TABLE_COLUMNS_MAX]; /* one that begins with '>' is aligned to the right */
};

/* The heads and the cells end with NULL: TABLE_HEADS(&table, arena, "TIME", ">AMOUNT");
 * TABLE_ROW(&table, time, amount); Without a head that has letters, no line of heads is printed.
 * Texts are lent until the table is printed. */
void table_init(struct table *table, struct rt_arena *arena, const char *const *heads);
void table_add(struct table *table, const char *const *cells);
/* What could control a terminal is shown as '?'. */
void table_print(const struct table *table, FILE *file);

#define TABLE_HEADS(table, arena, ...)                                                             \
	table_init(table, arena, (const char *const[]){__VA_ARGS__, NULL})
#define TABLE_ROW(table, ...) table_add(table, (const char *const[]){__VA_ARGS__, NULL})
