#include "runtime/env.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

/* Where the variable with this name of @len bytes is, or env->n. */
static size_t find(const struct env *env, const char *name, size_t len)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->vars[i], name, len) == 0 &&
		    env->vars[i][len] == '=')
			return i;
	return env->n;
}

static void append(struct env *env, char *entry)
{
	env->vars[env->n++] = entry;
	env->vars[env->n] = NULL;
}

static void append_missing(struct env *env, char *entry)
{
	if (find(env, entry, strcspn(entry, "=")) == env->n)
		append(env, entry);
}

void env_init(struct env *env, char *const *given, const char *hostname,
	      bool tty)
{
	/* Not const: execve(2) takes char *, though it never writes. */
	static char path[] = "PATH=" ENV_PATH_DEFAULT;
	static char term[] = "TERM=xterm";
	struct str entry = { 0 };
	size_t n = 0;

	while (given && given[n])
		n++;
	/* PATH, HOSTNAME, TERM, HOME, and the NULL. */
	env->vars = mem_alloc((n + 5) * sizeof(*env->vars));
	env->vars[0] = NULL;
	env->n = 0;
	str_add(&entry, "HOSTNAME=");
	str_add(&entry, hostname);
	env->hostname = str_take(&entry);
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(given[i], "=");
		size_t at;

		if (len == 0 || given[i][len] != '=')
			continue;
		at = find(env, given[i], len);
		if (at < env->n)
			env->vars[at] = given[i];
		else
			append(env, given[i]);
	}
	append_missing(env, path);
	append_missing(env, env->hostname);
	if (tty)
		append_missing(env, term);
}

void env_release(struct env *env)
{
	img_mem_release(&env->vars);
	img_mem_release(&env->hostname);
	env->n = 0;
}

void env_add_home(struct env *env, char *home)
{
	append_missing(env, home);
}

const char *env_get(const struct env *env, const char *name)
{
	size_t len = strlen(name);
	size_t at = find(env, name, len);

	return at < env->n ? env->vars[at] + len + 1 : NULL;
}
