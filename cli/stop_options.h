#ifndef IMG_CLI_STOP_OPTIONS_H
#define IMG_CLI_STOP_OPTIONS_H

/*
 * What `stop` and `restart` can say of how a container is to end.
 */
#include "cli/container_process.h"
#include "cli/life.h"
#include "runtime/signals.h"

struct stop_options {
	const char *signal, *time;
};

#define STOP_ROWS(base)                                                        \
	OPTION_ROW('s', "signal", "SIGNAL",                                    \
		   "ask with this one [its own, or TERM]", OPTION_TEXT, base,  \
		   struct stop_options, signal),                               \
		OPTION_ROW('t', "time", "SECONDS",                             \
			   "kill it after so long, -1: never [its own, or "    \
			   "10]",                                              \
			   OPTION_TEXT, base, struct stop_options, time)

/* IMG_E_INPUT names the option. */
static inline int stop_options_read(const struct stop_options *o,
				    struct container_stop *ret,
				    struct img_err *err)
{
	*ret = (struct container_stop){ .grace_s = CONTAINER_STOP_OWN };
	if (o->signal && (ret->sig = signals_parse(o->signal)) == 0)
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is not a signal",
				   o->signal);
	return o->time ? life_parse_seconds(o->time, "--time", &ret->grace_s,
					    err)
		       : 0;
}

#endif
