#include "base/mountinfo.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/sysmacros.h>

/* Space, tab, newline and backslash come as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 |
				       (from[2] - '0') << 3 | (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime ..." */
static bool parse(const char *line, struct mountinfo *ret, char **place)
{
	unsigned major, minor;

	if (sscanf(line, "%*u %*u %u:%u %*s %ms", &major, &minor, place) != 3)
		return false;
	unescape(*place);
	*ret = (struct mountinfo){ makedev(major, minor), *place };
	return true;
}

int mountinfo_each(int (*fn)(void *self, const struct mountinfo *mount,
			     struct img_err *err),
		   void *self, struct img_err *err)
{
	img_auto(img_stdio_release) FILE *f =
		fopen("/proc/self/mountinfo", "re");
	img_auto(img_mem_release) char *line = NULL;
	size_t room = 0;
	int r = 0;

	if (!f)
		return img_err_sys(err, "cannot read /proc/self/mountinfo");
	while (r == 0 && getline(&line, &room, f) > 0) {
		img_auto(img_mem_release) char *place = NULL;
		struct mountinfo mount;

		if (parse(line, &mount, &place))
			r = fn(self, &mount, err);
	}
	return r;
}

struct wanted {
	dev_t dev;
	char *place;
};

static int match(void *self, const struct mountinfo *mount, struct img_err *err)
{
	struct wanted *wanted = self;

	if (mount->dev != wanted->dev)
		return 0;
	wanted->place = mem_strdup(mount->place);
	return 1;
}

char *mountinfo_place(dev_t dev)
{
	struct wanted wanted = { .dev = dev };
	struct img_err unreadable = { 0 }; /* then nobody knows */

	IMG_IGNORE(mountinfo_each(match, &wanted, &unreadable));
	return wanted.place;
}
