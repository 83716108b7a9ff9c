#ifndef IMG_RUNTIME_ENV_H
#define IMG_RUNTIME_ENV_H

/*
 * The command's environment: what was given, each name once, and what docker
 * adds where it is missing.
 */
#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>

#define ENV_PATH_DEFAULT                                                       \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct env {
	char **vars; /* NULL-terminated, with room for one more */
	size_t n;
	char *hostname; /* an entry that is ours */
};

/**
 * env_init - put an environment together
 * @given: NAME=VALUE entries, borrowed as long as @env lives, or NULL; of
 *         entries for one name the last is used, in the place of the first;
 *         what has no name or no "=" is left out
 * @hostname: value for HOSTNAME
 * @tty: adds TERM=xterm
 */
void env_init(struct env *env, char *const *given, const char *hostname,
	      bool tty);

void env_release(struct env *env);

/**
 * env_add_home - add an entry unless HOME is there
 * @home: "HOME=..."; borrowed.  Called once at most.
 *
 * Allocates nothing: this one is called between clone and exec.
 */
void env_add_home(struct env *env, char *home);

/* The value of @name, or NULL. */
const char *env_get(const struct env *env, const char *name);

#endif
