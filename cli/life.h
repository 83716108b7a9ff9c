#ifndef IMG_CLI_LIFE_H
#define IMG_CLI_LIFE_H

/*
 * Options of `run` and `create` about a container's life: how it is asked to
 * end, what it is labelled with, what of its streams the command has.  They
 * become JSON under the names that docker's inspect shows.
 */
#include "cli/options.h"

#include <jansson.h>

/* Zero-initialised: nothing is asked for. */
struct life_options {
	struct text_list attach, env_files, labels, label_files;
	const char *cid_file, *restart, *stop_signal, *stop_timeout;
	const char *log_driver;
	struct text_list log_options;
	bool init;
};

#define LIFE_ROW(letter_, name_, arg_, help_, kind_, base_, member_)           \
	OPTION_ROW(letter_, name_, arg_, help_, kind_, base_,                  \
		   struct life_options, member_)

/* Rows of a verb's table; @base: where in its struct the options are. */
#define LIFE_ROWS(base)                                                        \
	LIFE_ROW('a', "attach", "STREAM",                                      \
		 "stdin, stdout or stderr: only these [all]", OPTION_LIST,     \
		 base, attach),                                                \
		LIFE_ROW(0, "cidfile", "FILE",                                 \
			 "write the id to a file that is not there yet",       \
			 OPTION_TEXT, base, cid_file),                         \
		LIFE_ROW(0, "env-file", "FILE",                                \
			 "set variables, one a line; --env comes after it",    \
			 OPTION_LIST, base, env_files),                        \
		LIFE_ROW(0, "init", NULL,                                      \
			 "a first process that passes signals on and reaps",   \
			 OPTION_FLAG, base, init),                             \
		LIFE_ROW('l', "label", "NAME[=VALUE]",                         \
			 "a label, that inspect shows and ps selects by",      \
			 OPTION_LIST, base, labels),                           \
		LIFE_ROW(0, "label-file", "FILE", "labels, one a line",        \
			 OPTION_LIST, base, label_files),                      \
		LIFE_ROW(0, "log-driver", "DRIVER",                            \
			 "json-file or none: what it says in the background",  \
			 OPTION_TEXT, base, log_driver),                       \
		LIFE_ROW(0, "log-opt", "NAME=VALUE",                           \
			 "max-size=SIZE of a file of its log [10m], "          \
			 "max-file=NUMBER [3]",                                \
			 OPTION_LIST, base, log_options),                      \
		LIFE_ROW(0, "restart", "POLICY",                               \
			 "no: there is no daemon that could do it",            \
			 OPTION_TEXT, base, restart),                          \
		LIFE_ROW(0, "stop-signal", "SIGNAL",                           \
			 "what stop asks with [the image's, or TERM]",         \
			 OPTION_TEXT, base, stop_signal),                      \
		LIFE_ROW(0, "stop-timeout", "SECONDS",                         \
			 "how long stop waits, -1: for ever [10]",             \
			 OPTION_TEXT, base, stop_timeout)

/**
 * life_put - write options into a configuration
 * @config: of the container, with its HostConfig
 *
 * Everything is checked now.  Returns 0, or IMG_E_INPUT that names the option,
 * or what made a file unreadable.
 */
int life_put(json_t *config, const struct life_options *options,
	     struct img_err *err) IMG_MUST_USE;

/* The entries of --env-file, appended to an array of "NAME=VALUE". */
int life_put_env_files(json_t *env, const struct text_list *files,
		       struct img_err *err) IMG_MUST_USE;

/* --cidfile: IMG_E_EXISTS where the file is there. */
int life_write_id(const char *path, const char *id,
		  struct img_err *err) IMG_MUST_USE;

/* A number of seconds as --time and --stop-timeout take it. */
int life_parse_seconds(const char *text, const char *option, int *ret,
		       struct img_err *err) IMG_MUST_USE;

#endif
