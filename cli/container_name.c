#include "cli/container.h"
#include "image/name.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define TRIES 64

/* A quality and a thing, as in quiet_harbour. */
static const char *const qualities[] = {
	"amber", "brisk",  "calm",  "clear", "deft",   "eager",	  "fair",
	"fleet", "gentle", "glad",  "keen",  "kind",   "light",	  "lively",
	"loyal", "mellow", "merry", "neat",  "noble",  "patient", "plain",
	"proud", "quick",  "quiet", "ready", "silver", "sober",	  "steady",
	"sunny", "swift",  "tidy",  "wise",
};
static const char *const things[] = {
	"anchor", "barn",   "basin",  "beacon",	 "birch",   "bridge",  "canal",
	"cedar",  "cliff",  "cove",   "delta",	 "dune",    "ferry",   "field",
	"fjord",  "forge",  "garden", "glacier", "grove",   "harbour", "heath",
	"island", "lagoon", "larch",  "mill",	 "orchard", "quarry",  "reef",
	"river",  "summit", "valley", "willow",
};

int container_name_check(const char *name, struct img_err *err)
{
	return plain_name_check(name, "container", CONTAINER_NAME_MAX, err);
}

static int is_taken(struct store *store, const char *name, struct img_err *err)
{
	int64_t one;

	return db_get_int(store_db(store), &one, err,
			  "SELECT 1 FROM containers WHERE name = ?", "s", name);
}

int container_name_taken(const char *name, struct img_err *err)
{
	*err = (struct img_err){ 0 };
	return img_err_set(err, IMG_E_EXISTS, 0,
			   "the container name '%s' is taken", name);
}

int container_name_check_free(struct store *store, const char *name,
			      struct img_err *err)
{
	int r = is_taken(store, name, err);

	return r > 0 ? container_name_taken(name, err) : r;
}

int container_name_invent(struct store *store, char out[CONTAINER_NAME_MAX + 1],
			  struct img_err *err)
{
	for (int try = 0; try < TRIES; try++) {
		unsigned char pick[3];
		int r;

		if (getrandom(pick, sizeof(pick), 0) != (ssize_t)sizeof(pick))
			return img_err_sys(err, "cannot read random numbers");
		(void)snprintf(out, CONTAINER_NAME_MAX + 1, "%s_%s",
			       qualities[pick[0] % IMG_COUNT(qualities)],
			       things[pick[1] % IMG_COUNT(things)]);
		if (try > TRIES / 2) { /* a crowded store */
			size_t len = strlen(out);

			(void)snprintf(out + len, CONTAINER_NAME_MAX + 1 - len,
				       "%u", pick[2]);
		}
		r = is_taken(store, out, err);
		if (r <= 0)
			return r;
	}
	return img_err_set(err, IMG_E_EXISTS, 0,
			   "cannot think of a free container name: use --name");
}
