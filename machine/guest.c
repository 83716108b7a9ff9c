#include "machine/guest.h"

#include "base/cleanup.h"
#include "base/part.h"
#include "base/str.h"
#include "machine/guest_command.h"
#include "machine/kernel.h"
#include "machine/machine.h"

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>

typedef int load_modules_fn(const char *dir, const char *const *names,
			    struct img_err *err);

bool machine_is_guest(int argc, char *const argv[])
{
	if (argc > 1 && getpid() == 1)
		return strcmp(argv[1], KERNEL_INIT_WORD) == 0;
	return argc > 1 && strcmp(argv[0], GUEST_MODPROBE) == 0;
}

static int load_modules(const char *const *names, struct img_err *err)
{
	img_auto(img_mem_release) char *dir = NULL;
	load_modules_fn *load;
	struct utsname kernel;
	void *symbol;
	int r;

	if (uname(&kernel) < 0)
		return img_err_sys(err, "cannot tell the kernel's version");
	dir = mem_printf(KERNEL_MODULES_DIR "/%s", kernel.release);
	r = kernel_check_modules(dir, err);
	if (r < 0)
		return r;
	symbol = part_symbol("machine", "machine_load_modules", err);
	if (!symbol)
		return -(int)err->code;
	memcpy(&load, &symbol, sizeof(load)); /* ISO C has no cast for it */
	return load(dir, names, err);
}

static int bring_loopback_up(struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct ifreq request = { .ifr_name = "lo",
				 .ifr_flags = IFF_UP | IFF_RUNNING };

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return img_err_sys(err, "cannot bring up the loopback device");
	return 0;
}

int guest_prepare(const struct job *job, struct img_err *err)
{
	if (sethostname(job->hostname, strlen(job->hostname)) < 0)
		return img_err_sys(err, "cannot set the host name");
	return bring_loopback_up(err);
}

/* Fills @channel and @job; false with @err filled where that fails. */
static bool open_channel(struct channel *channel, struct job *job,
			 struct img_err *err)
{
	img_auto(img_mem_release) char *bytes = NULL;
	struct termios raw;
	size_t size;
	int line, memory;

	/* both stay open to the end */
	line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	memory = open("/dev/mmapper", O_RDWR | O_CLOEXEC);
	if (line >= 0 && memory >= 0 && tcgetattr(line, &raw) == 0) {
		cfmakeraw(&raw);
		if (tcsetattr(line, TCSANOW, &raw) == 0)
			return channel_attach(memory, line, channel, &bytes,
					      &size, err) == 0 &&
			       job_decode(bytes, size, job, err) == 0;
	}
	(void)img_err_sys(err, "cannot reach the host");
	return false;
}

static void __attribute__((noreturn)) power_off(void)
{
	(void)reboot(RB_POWER_OFF);
	for (;;) /* never an init that ends */
		(void)pause();
}

/* The console is all there is before the channel, and the host reads it. */
static void __attribute__((noreturn)) give_up(const struct img_err *err)
{
	(void)dprintf(STDERR_FILENO, "%s\n", err->msg);
	power_off();
}

static void report(const struct channel *channel, int status,
		   const struct img_err *err)
{
	channel->page->status = status;
	channel->page->err = *err;
	atomic_store(&channel->page->phase, CHANNEL_DONE);
	atomic_store(channel->peer_asleep, 1); /* ring whatever it does */
	channel_ring_bell(channel);
}

/* It is loaded when first used: without it no store was brought up. */
static bool has_device_mapper(void)
{
	return access("/sys/module/dm_mod", F_OK) == 0;
}

static void __attribute__((noreturn))
guest_init(const struct machine_guest_hooks *hooks)
{
	int status = MACHINE_STATUS_FAILED;
	struct channel channel = { .line_fd = -1 };
	struct img_err err = { 0 };
	struct job job = { 0 };
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0);
	if (!open_channel(&channel, &job, &err))
		give_up(&err);
	atomic_store(&channel.page->phase, CHANNEL_RUNNING);
	r = guest_mount(&job, &err);
	if (r == 0)
		r = guest_prepare(&job, &err);
	environ = guest_environment(&job); /* the hook's too */
	if (r == 0) {
		r = guest_run(&job, &channel, &status, &err);
		if (hooks->before_poweroff && has_device_mapper())
			hooks->before_poweroff(hooks->self);
	}
	if (guest_unmount(&job, &err) < 0 && r == 0)
		status = MACHINE_STATUS_FAILED;
	report(&channel, status, &err);
	power_off();
}

/* Who opens one of these has a pool in mind: its modules come together, for
 * a process costs more than a module. */
static bool wants_pool(const char *name)
{
	return strcmp(name, "char-major-10-236") == 0 || /* device-mapper */
	       strcmp(name, "char-major-10-237") == 0;	 /* loop-control */
}

/* As modprobe: the last argument is what the kernel wants. */
static void __attribute__((noreturn)) serve_kernel(const char *name)
{
	static const char *const pool[] = { "loop", "dm-mod", "dm-thin-pool",
					    NULL };
	const char *const one[] = { name, NULL };
	struct img_err err = { 0 };

	_exit(load_modules(wants_pool(name) ? pool : one, &err) < 0);
}

void machine_guest_main(int argc, char *const argv[],
			const struct machine_guest_hooks *hooks)
{
	if (getpid() != 1)
		serve_kernel(argv[argc - 1]);
	guest_init(hooks);
}
