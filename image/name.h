#ifndef IMG_IMAGE_NAME_H
#define IMG_IMAGE_NAME_H

/*
 * Names: those of images, and plain ones, of all else that users name.
 *
 * An image's is NAME[:TAG], as docker has them.
 *
 * NAME is one or more parts joined by "/": lower-case letters and digits,
 * inside them also "." "_" "__" "-"; the first part may be a host with a
 * port.  TAG has up to 128 of letters, digits, "_" "." "-", and does not begin
 * with "." or "-".  Source: the grammar in the distribution project's
 * reference package.
 */
#include "base/err.h"

#include <stddef.h>

#define IMAGE_NAME_MAX 255
#define IMAGE_TAG_MAX  128

struct image_name {
	char name[IMAGE_NAME_MAX + 1];
	char tag[IMAGE_TAG_MAX + 1];
};

/* Returns 0, or IMG_E_INPUT saying what is wrong with @text. */
int image_name_parse(const char *text, struct image_name *ret,
		     struct img_err *err) IMG_MUST_USE;

/**
 * image_name_from_source - the name of an image that got none
 * @path: of a tar or a directory: its last part without the endings of tar
 *	archives and their compressions, in lower case
 */
int image_name_from_source(const char *path, struct image_name *ret,
			   struct img_err *err) IMG_MUST_USE;

/**
 * plain_name_check - whether something may be called so
 * @what: "container", for the message
 *
 * docker's names: at least two letters, digits, and "_" "." "-" after the
 * first.  Returns 0 or IMG_E_INPUT.
 */
int plain_name_check(const char *name, const char *what, size_t len_max,
		     struct img_err *err) IMG_MUST_USE;

#endif
