#include "runtime/oom_score.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>

#define FILE_NAME "/proc/self/oom_score_adj"

static int set(int score)
{
	img_auto(img_fd_release) int fd = -1;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", score);

	fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -1;
}

int oom_score_take_on(int score, struct oom_score *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	char text[16] = "";

	*ret = (struct oom_score){ 0 };
	if (score == 0)
		return 0;
	fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return img_err_sys(err, "cannot read " FILE_NAME);
	ret->before = (int)strtol(text, NULL, 10);
	if (set(score) < 0)
		return img_err_sys(err, "--oom-score-adj: cannot set %d",
				   score);
	ret->changed = true;
	return 0;
}

void oom_score_go_back(struct oom_score *score)
{
	if (score->changed)
		IMG_IGNORE(set(score->before));
	score->changed = false;
}
