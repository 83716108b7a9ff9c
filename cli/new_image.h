#ifndef IMG_CLI_NEW_IMAGE_H
#define IMG_CLI_NEW_IMAGE_H

/*
 * Options of the verbs that make an image, as docker import and commit have
 * them.
 */
#include "cli/options.h"

struct new_image_options {
	const char *message;
	struct text_list changes;
	bool quiet;
};

/* Rows of the option table of a verb whose struct @type has a struct
 * new_image_options as its member new_image. */
#define NEW_IMAGE_OPTION_ROWS(type)                                            \
	{ 'c',                                                                 \
	  "change",                                                            \
	  "INSTRUCTION",                                                       \
	  "set CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME " \
	  "or WORKDIR",                                                        \
	  OPTION_LIST,                                                         \
	  offsetof(type, new_image.changes) },                                 \
		{ 'm',	       "message",                                      \
		  "TEXT",      "comment for the image's history",              \
		  OPTION_TEXT, offsetof(type, new_image.message) },            \
	{                                                                      \
		'q', "quiet", NULL, "do not print the id", OPTION_FLAG,        \
			offsetof(type, new_image.quiet)                        \
	}

#endif
