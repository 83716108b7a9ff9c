#include "runtime/cgroup_state.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_tree.h"

#include <fcntl.h>
#include <string.h>

int cgroup_of_process(pid_t pid, const char *id, int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *place = NULL;
	img_auto(img_fd_release) int root = -1;
	struct img_err gone = { 0 };
	bool shared;
	char *at;

	if (cgroup_place(pid, &place, &gone) < 0)
		return 0;
	at = strstr(place, id);
	root = cgroup_root_open(&shared);
	if (!at || at == place || at[-1] != '/' || root < 0)
		return 0;
	at[strlen(id)] = '\0';
	*ret = openat(root, place + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret >= 0)
		return 1;
	return errno == ENOENT ? 0 : img_err_sys(err, "cannot open its cgroup");
}

int cgroup_is_frozen(int dir, struct img_err *err)
{
	char text[CGROUP_TEXT_MAX];
	uint64_t value;
	int r = cgroup_read(dir, "cgroup.events", text, sizeof(text), err);

	if (r < 0)
		return r;
	return cgroup_find_key(text, "frozen", &value) && value == 1;
}

int cgroup_freeze(int dir, bool frozen, struct img_err *err)
{
	struct img_err dropped = { 0 };
	int r = cgroup_write(dir, "cgroup.freeze", frozen ? "1" : "0", err);

	if (r < 0)
		return r;
	if (cgroup_await(dir, "frozen", frozen))
		return 0;
	r = cgroup_is_frozen(dir, err); /* or it has been removed */
	if (r < 0)
		return r;
	IMG_IGNORE(cgroup_write(dir, "cgroup.freeze", frozen ? "0" : "1",
				&dropped));
	return img_err_set(err, IMG_E_BUSY, 0,
			   "its processes do not %s within %d seconds",
			   frozen ? "stand still" : "go on",
			   CGROUP_PATIENCE_MS / 1000);
}

uint64_t cgroup_oom_kills(int dir)
{
	struct img_err none = { 0 };
	char text[CGROUP_TEXT_MAX];
	uint64_t n;

	if (cgroup_read(dir, "memory.events", text, sizeof(text), &none) < 0 ||
	    !cgroup_find_key(text, "oom_kill", &n))
		return 0;
	return n;
}
