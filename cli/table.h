#ifndef IMG_CLI_TABLE_H
#define IMG_CLI_TABLE_H

/*
 * Lists for people: columns as wide as what is in them.
 */
#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 10

struct table {
	size_t columns;
	size_t right_from; /* numbers: columns to the right; 0: none */
	char **cells;	   /* row by row; the first is the heading */
	size_t n, room;
};

/* @heading: one text a column, @columns of them. */
void table_init(struct table *table, size_t columns,
		const char *const *heading);
/* Copies one text a column. */
void table_add(struct table *table, const char *const *cells);
/* To stdout, with the heading unless @bare. */
void table_print(const struct table *table, bool bare);
void table_release(struct table *table);

#endif
