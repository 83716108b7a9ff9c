#include "runtime/hostname.h"

#include <string.h>
#include <unistd.h>

#define ID_SHORT 12

/* No printf on the way to exec: where a page fault is dear, touching its code
 * for the first time costs more than all the mounts. */
int hostname_choose(const struct container_spec *spec, char out[HOSTNAME_SIZE],
		    struct img_err *err)
{
	const char *name = spec->hostname ? spec->hostname : spec->id;
	size_t len = strnlen(name, spec->hostname ? SIZE_MAX : ID_SHORT);

	if (spec->spaces.uts.kind == SPACE_HOST) {
		if (gethostname(out, HOSTNAME_SIZE) != 0)
			return img_err_sys(err, "cannot read the host's name");
		out[HOSTNAME_SIZE - 1] = '\0';
		return 0;
	}

	if (len > HOST_NAME_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the host name '%s' is longer than %d bytes",
				   name, HOST_NAME_MAX);
	memcpy(out, name, len);
	out[len] = '\0';
	if (spec->domainname && strlen(spec->domainname) > HOST_NAME_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the domain name '%s' is longer than %d "
				   "bytes",
				   spec->domainname, HOST_NAME_MAX);
	return 0;
}

int hostname_set(const char *name, const char *domain, struct img_err *err)
{
	if (sethostname(name, strlen(name)) != 0)
		return img_err_sys(err, "cannot set the host name '%s'", name);
	if (domain && setdomainname(domain, strlen(domain)) != 0)
		return img_err_sys(err, "cannot set the domain name '%s'",
				   domain);
	return 0;
}
