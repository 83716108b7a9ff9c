#ifndef IMG_RUNTIME_OOM_SCORE_H
#define IMG_RUNTIME_OOM_SCORE_H

/*
 * Who dies first when the host has no memory left: /proc/PID/oom_score_adj,
 * -1000 (never) to 1000.
 *
 * A child inherits it.  So the one who starts a container takes the value on,
 * makes the child, and goes back: the child needs no right to change it, and
 * it counts from its first instant.  As long as both share their memory the
 * kernel gives both the same value: go back only after exec.
 */
#include "base/err.h"

#include <stdbool.h>

#define OOM_SCORE_MAX 1000

struct oom_score {
	bool changed;
	int before;
};

/* @score 0 changes nothing, as docker has it. */
int oom_score_take_on(int score, struct oom_score *ret,
		      struct img_err *err) IMG_MUST_USE;
/* Best effort: a supervisor lives on with another's value. */
void oom_score_go_back(struct oom_score *score);

#endif
