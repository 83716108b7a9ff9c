#include "cli/verb.h"

#include <string.h>

/* In the order in which help shows them. */
#define VERBS(X)                                                               \
	X(import)                                                              \
	X(run)                                                                 \
	X(create)                                                              \
	X(exec)                                                                \
	X(start)                                                               \
	X(restart)                                                             \
	X(attach)                                                              \
	X(stop)                                                                \
	X(kill)                                                                \
	X(pause)                                                               \
	X(unpause)                                                             \
	X(update)                                                              \
	X(stats)                                                               \
	X(top)                                                                 \
	X(wait)                                                                \
	X(events)                                                              \
	X(logs)                                                                \
	X(commit)                                                              \
	X(merge)                                                               \
	X(clone)                                                               \
	X(resize)                                                              \
	X(snapshot_create)                                                     \
	X(snapshot_ls)                                                         \
	X(snapshot_rm)                                                         \
	X(snapshot_rollback)                                                   \
	X(rename)                                                              \
	X(ps)                                                                  \
	X(rm)                                                                  \
	X(volume_create)                                                       \
	X(volume_ls)                                                           \
	X(volume_inspect)                                                      \
	X(volume_resize)                                                       \
	X(volume_rm)                                                           \
	X(volume_prune)                                                        \
	X(images)                                                              \
	X(tag)                                                                 \
	X(history)                                                             \
	X(tree)                                                                \
	X(inspect)                                                             \
	X(mount)                                                               \
	X(umount)                                                              \
	X(activate)                                                            \
	X(deactivate)                                                          \
	X(export)                                                              \
	X(rmi)                                                                 \
	X(df)                                                                  \
	X(gc)                                                                  \
	X(trim)                                                                \
	X(init)                                                                \
	X(doctor)                                                              \
	X(pool_status)                                                         \
	X(pool_grow)                                                           \
	X(pool_stop)                                                           \
	X(machine_exec)                                                        \
	X(completion)                                                          \
	X(help)                                                                \
	X(version)

#define DECLARE(name) extern const struct verb verb_##name;
VERBS(DECLARE)

#define LIST(name) &verb_##name,
const struct verb *const verbs[] = { VERBS(LIST) };
const size_t n_verbs = IMG_COUNT(verbs);

static bool names(const struct verb *verb, char **argv, int *ret_words)
{
	const char *space = strchr(verb->name, ' ');
	size_t first = space ? (size_t)(space - verb->name) : 0;

	*ret_words = space ? 2 : 1;
	if (!space)
		return strcmp(argv[0], verb->name) == 0;
	return strlen(argv[0]) == first &&
	       memcmp(argv[0], verb->name, first) == 0 && argv[1] &&
	       strcmp(argv[1], space + 1) == 0;
}

int verb_find(char **argv, const struct verb **ret)
{
	int words;

	for (size_t i = 0; argv[0] && i < n_verbs; i++)
		if (names(verbs[i], argv, &words)) {
			*ret = verbs[i];
			return words;
		}
	return 0;
}

/* Verbs of two words that begin with the first of these. */
static void name_family(char **argv, struct img_err *err)
{
	const size_t len = strlen(argv[0]);
	bool any = false;

	for (size_t i = 0; i < n_verbs; i++) {
		const char *name = verbs[i]->name;

		if (strncmp(name, argv[0], len) != 0 || name[len] != ' ')
			continue;
		if (!any)
			(void)img_err_set(err, IMG_E_NOT_FOUND, 0,
					  "there is no verb '%s%s%s': there is",
					  argv[0], argv[1] ? " " : "",
					  argv[1] ? argv[1] : "");
		(void)img_err_hint(err, "%s '%s'", any ? "," : "", name);
		any = true;
	}
}

int verb_missing(char **argv, struct img_err *err)
{
	name_family(argv, err);
	if (!err->code)
		(void)img_err_set(err, IMG_E_NOT_FOUND, 0,
				  "there is no verb '%s'; see 'img help'",
				  argv[0]);
	return -(int)err->code;
}
