#ifndef IMG_CLI_PROGRESS_H
#define IMG_CLI_PROGRESS_H

/*
 * Progress on the terminal, and ^C: bytes, rate, time left, on stderr, once
 * the work has taken a second and stderr is a terminal.
 */
#include "base/progress.h"

/* From here on SIGINT, SIGTERM and SIGHUP ask the work to stop. */
const struct progress *progress_begin(void);
/* Takes the line off the screen; signals act as usual again. */
void progress_end(void);

#endif
