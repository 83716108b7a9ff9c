#include "cli/table.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, size_t columns, const char *const *heading)
{
	*table = (struct table){ .columns = columns };
	table_add(table, heading);
}

void table_add(struct table *table, const char *const *cells)
{
	if (table->n + table->columns > table->room) {
		table->room = 2 * (table->room + table->columns);
		table->cells =
			mem_realloc(table->cells, table->room * sizeof(char *));
	}
	for (size_t i = 0; i < table->columns; i++)
		table->cells[table->n++] = mem_strdup(cells[i]);
}

/* Columns on the screen: bytes that do not continue a UTF-8 character. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *table, bool bare)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };
	size_t first = bare ? table->columns : 0;

	for (size_t i = first; i < table->n; i++) {
		size_t w = width(table->cells[i]);

		if (w > widths[i % table->columns])
			widths[i % table->columns] = w;
	}
	for (size_t i = first; i < table->n; i++) {
		size_t column = i % table->columns;

		int pad = (int)(widths[column] - width(table->cells[i]));
		bool right = table->right_from && column >= table->right_from;
		bool last = column + 1 == table->columns;

		if (right)
			(void)printf("%*s%s%s", pad, "", table->cells[i],
				     last ? "\n" : "   ");
		else if (last)
			(void)printf("%s\n", table->cells[i]);
		else
			(void)printf("%s%*s", table->cells[i], pad + 3, "");
	}
}

void table_release(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ 0 };
}
