#ifndef IMG_CLI_TEMPLATE_H
#define IMG_CLI_TEMPLATE_H

/*
 * The part of Go's templates that --format of docker's lists is used with:
 * text, in which {{.Name}} is a member of the object that is shown, {{.A.B}}
 * one of a member, {{.Label "key"}} one of its labels, {{json .Name}} its JSON
 * and {{upper .Name}}, {{lower .Name}} what they say.  \t and \n are what they
 * are in C.
 */
#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>

/* Whether @format is one: it has "{{". */
bool template_is(const char *format);

/**
 * template_render - fill a template in
 * @object: names are looked up as written, then in any case
 *
 * Returns 0, or IMG_E_INPUT: no such member, or another action.
 */
int template_render(const char *format, json_t *object, struct str *out,
		    struct img_err *err) IMG_MUST_USE;

/* The same with the names of the members, in capitals, in their place. */
int template_heading(const char *format, struct str *out,
		     struct img_err *err) IMG_MUST_USE;

#endif
