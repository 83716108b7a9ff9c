#ifndef IMG_CLI_FORMAT_H
#define IMG_CLI_FORMAT_H

/*
 * What --format means, whatever is shown: "json" is an array of all objects; a
 * template (cli/template.h) makes a line of each of them, and "table TEMPLATE"
 * a table of such lines, whose cells are what tabs are between.  Lists have
 * "table", too, which is what they are without it.
 */
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum format_kind {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_TEMPLATE,
};

/* Of a list.  NULL is a table; anything else IMG_E_INPUT. */
int format_of_list(const char *format, enum format_kind *ret,
		   struct img_err *err) IMG_MUST_USE;

/* Of what has no table: NULL, "json" or a template. */
int format_of_objects(const char *format, struct img_err *err) IMG_MUST_USE;

/* Of what is no list of objects, and has no templates: a tree, a report. */
int format_is_json(const char *format, bool *ret,
		   struct img_err *err) IMG_MUST_USE;

/* Prints an array or object, indented, and releases it. */
void format_print_json(json_t *json);

/**
 * format_print_template - print a line for each object
 * @list: an array
 * @format: a template, or "table " and one
 *
 * Returns 0, or IMG_E_INPUT as template_render; what came before is printed.
 */
int format_print_template(json_t *list, const char *format,
			  struct img_err *err) IMG_MUST_USE;

/* Prints an array as format_of_objects took @format; NULL is JSON. */
int format_print_objects(json_t *list, const char *format,
			 struct img_err *err) IMG_MUST_USE;

#endif
