#include "storage/probe.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>

static void probe_release(blkid_probe *probe)
{
	if (*probe)
		blkid_free_probe(*probe);
	*probe = NULL;
}

static void take_type(blkid_probe probe, char type[PROBE_TYPE_MAX])
{
	const char *value = NULL;

	if (blkid_probe_lookup_value(probe, "TYPE", &value, NULL) < 0 &&
	    blkid_probe_lookup_value(probe, "PTTYPE", &value, NULL) < 0)
		value = "an unknown signature";
	(void)snprintf(type, PROBE_TYPE_MAX, "%s", value);
}

int probe_content(int fd, const char *name, char type[PROBE_TYPE_MAX],
		  struct img_err *err)
{
	__attribute__((cleanup(probe_release))) blkid_probe probe =
		blkid_new_probe();
	int rc;

	type[0] = '\0';
	if (!probe || blkid_probe_set_device(probe, fd, 0, 0) < 0 ||
	    blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE) < 0 ||
	    blkid_probe_enable_partitions(probe, 1) < 0)
		return img_err_set(err, IMG_E_SYS, errno, "cannot look into %s",
				   name);
	rc = blkid_do_safeprobe(probe);
	if (rc == -2)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s holds signatures that contradict each "
				   "other",
				   name);
	if (rc < 0)
		return img_err_set(err, IMG_E_SYS, errno, "cannot look into %s",
				   name);
	if (rc == 1)
		return 0;
	take_type(probe, type);
	return 1;
}
