#include "runtime/loopback.h"

#include "base/cleanup.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int loopback_up(struct img_err *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	img_auto(img_fd_release) int fd = -1;

	/* Any socket carries interface requests; a unix one is the cheapest
	 * and needs no protocol that a kernel might lack. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		return img_err_sys(err, "cannot bring the loopback device up");
	return 0;
}
