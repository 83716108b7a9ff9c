#ifndef IMG_CLI_VOLUME_OPTION_H
#define IMG_CLI_VOLUME_OPTION_H

/*
 * What a new volume is to be, as `volume create` and --mount say it, and how
 * large it is to become.
 */
#include "cli/options.h"
#include "storage/volume.h"

#include <jansson.h>
#include <stdint.h>

/* IMG_E_INPUT unless it is "local", the one that docker has by itself. */
int volume_option_driver(const char *driver, struct img_err *err) IMG_MUST_USE;

/* "size" of @options, an object of strings or NULL, in bytes; 0 where it is not
 * there.  IMG_E_INPUT for anything else that is. */
int volume_option_size(json_t *options, uint64_t *ret_bytes,
		       struct img_err *err) IMG_MUST_USE;

/* The new size that `resize` is told, SIZE or +SIZE for so much more: whole
 * blocks.  That it is not less is for others to see. */
int volume_option_larger(const char *text, const struct volume *volume,
			 uint64_t *ret_bytes, struct img_err *err) IMG_MUST_USE;

/* Puts NAME[=VALUE] into @object; false where @text is none. */
bool volume_option_put(json_t *object, const char *text) IMG_MUST_USE;
/* An object of a list of NAME[=VALUE]; @what: the option, for the message. */
int volume_option_object(const struct text_list *list, const char *what,
			 json_t **ret, struct img_err *err) IMG_MUST_USE;

#endif
