#ifndef IMG_RUNTIME_SIGNALS_H
#define IMG_RUNTIME_SIGNALS_H

/*
 * Signals on both sides of a start: which ones a supervisor takes in hand, and
 * none blocked, none ignored for a new program.
 */
#include "base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * signals_supervised - the signals that a supervisor reads from a signalfd
 *
 * SIGCHLD and SIGWINCH for itself; HUP, INT, QUIT, TERM, USR1, USR2, ALRM, CONT
 * and TSTP for the container.  Not TTIN and TTOU: a supervisor in the
 * background must stop when it reaches for the terminal.
 */
void signals_supervised(sigset_t *ret);

/* Number of "KILL", "SIGKILL", "RTMIN+3" or "9", in any case; 0 for none. */
int signals_parse(const char *name);

/* Around the start of a command: blocks everything, and gives SIGCHLD its
 * default action; an ignored one would take the child's status away. */
void signals_begin_start(sigset_t *ret_old);
/* Back to @old; where the command runs, the supervised signals and SIGPIPE
 * stay blocked, so that none is lost before they are waited for. */
void signals_end_start(const sigset_t *old, bool running);

/* Forgets a SIGPIPE that came while it was blocked. */
void signals_drop_pipe(void);

/**
 * signals_reset - give every signal its default action, and unblock all
 *
 * A signal that is ignored stays so through exec, and a handler left in place
 * would still run before it.  /proc/self/status says which ones there are: one
 * look instead of a system call for each signal that exists.
 */
int signals_reset(struct img_err *err) IMG_MUST_USE;

/**
 * signals_parse_status - ignored and caught signals from /proc/PID/status
 * @ret: bit N-1 stands for signal N
 *
 * Returns false if the text does not hold both.  Source: proc(5).
 */
bool signals_parse_status(const char *text, uint64_t *ret);

#endif
