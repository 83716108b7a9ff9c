#include "runtime/signals.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void signals_supervised(sigset_t *ret)
{
	static const int signals[] = { SIGCHLD, SIGWINCH, SIGHUP,  SIGINT,
				       SIGQUIT, SIGTERM,  SIGUSR1, SIGUSR2,
				       SIGALRM, SIGCONT,  SIGTSTP };

	sigemptyset(ret);
	for (size_t i = 0; i < IMG_COUNT(signals); i++)
		sigaddset(ret, signals[i]);
}

int signals_parse(const char *name)
{
	const char *bare = strncasecmp(name, "SIG", 3) == 0 ? name + 3 : name;
	const bool real_time = strncasecmp(bare, "RTMIN+", 6) == 0;
	char *end;
	long number;

	for (int sig = 1; sig < SIGRTMIN; sig++) {
		const char *known = sigabbrev_np(sig);

		if (known && strcasecmp(bare, known) == 0)
			return sig;
	}
	if (real_time)
		bare += 6;
	if (*bare < '0' || *bare > '9')
		return strcasecmp(bare, "RTMIN") == 0 ? SIGRTMIN : 0;
	number = strtol(bare, &end, 10);
	if (real_time && number >= 0 && number <= SIGRTMAX - SIGRTMIN)
		number += SIGRTMIN;
	return *end || number > SIGRTMAX ? 0 : (int)number;
}

void signals_begin_start(sigset_t *ret_old)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t all;

	(void)sigaction(SIGCHLD, &standard, NULL);
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, ret_old);
}

void signals_end_start(const sigset_t *old, bool running)
{
	sigset_t set;

	sigemptyset(&set);
	if (running) {
		signals_supervised(&set);
		sigaddset(&set, SIGPIPE); /* a write says it, too */
	}
	/* In one step: a signal that waits must not slip through here. */
	(void)sigorset(&set, &set, old);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
}

void signals_drop_pipe(void)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	(void)sigtimedwait(&set, NULL, &now); /* most often there is none */
}

static bool parse_mask(const char *text, const char *name, uint64_t *ret)
{
	const char *at = strstr(text, name);
	char *end;

	if (!at)
		return false;
	at += strlen(name);
	*ret = strtoull(at, &end, 16);
	return end != at && *end == '\n';
}

bool signals_parse_status(const char *text, uint64_t *ret)
{
	uint64_t ignored, caught;

	if (!parse_mask(text, "\nSigIgn:\t", &ignored) ||
	    !parse_mask(text, "\nSigCgt:\t", &caught))
		return false;
	*ret = ignored | caught;
	return true;
}

/* All signals where /proc does not tell. */
static uint64_t not_default(void)
{
	img_auto(img_fd_release) int fd = -1;
	uint64_t mask;
	char text[4096];
	ssize_t n;

	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return UINT64_MAX;
	text[n] = '\0';
	return signals_parse_status(text, &mask) ? mask : UINT64_MAX;
}

int signals_reset(struct img_err *err)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	uint64_t mask = not_default();
	sigset_t none;

	for (int sig = 1; mask; sig++, mask >>= 1)
		if (mask & 1)
			/* fails only for those that have no other action */
			(void)sigaction(sig, &standard, NULL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		return img_err_sys(err, "cannot unblock the signals");
	return 0;
}
