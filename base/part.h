#ifndef IMG_BASE_PART_H
#define IMG_BASE_PART_H

/*
 * Parts: pieces of img that need a heavy library and are loaded only by the
 * verbs that use them, so that `img run` never pays for libarchive.
 *
 * A part is a shared object img-<name>.so beside the program, or in the
 * directory it was installed to.  It may use everything the program has.
 */
#include "base/err.h"

/**
 * part_symbol - the address of a function that may live in a part
 * @part: name of the part: "formats", "machine"
 * @symbol: name of the function
 *
 * Looks in the program itself first, then loads the part, which stays loaded
 * until the program ends.
 *
 * Returns the address, or NULL with @err filled: IMG_E_NOT_FOUND where the
 * part's file or the symbol is missing.
 */
void *part_symbol(const char *part, const char *symbol,
		  struct img_err *err) IMG_MUST_USE;

/**
 * part_path - the file of a part, found but not loaded
 *
 * For a part that another program is to load.  Returns the path, which the
 * caller frees, or NULL with @err filled: IMG_E_NOT_FOUND where it lies neither
 * beside the program nor where parts are installed.
 */
char *part_path(const char *part, struct img_err *err) IMG_MUST_USE;

#endif
