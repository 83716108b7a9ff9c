#include "storage/libdm.h"

#include "base/pages.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

const char *libdm_library = "libdevmapper.so.1.02.1"; /* its name since 2007 */

static bool find(void *library, const char *name, void *ret,
		 struct img_err *err)
{
	void *address = dlsym(library, name);

	if (!address) {
		(void)img_err_set(err, IMG_E_NO_DM, 0,
				  "%s has no %s: it is too old", libdm_library,
				  name);
		return false;
	}
	memcpy(ret, &address, sizeof(address));
	return true;
}

const struct libdm *libdm_open(struct img_err *err)
{
	static struct libdm calls;
	void *library = dlopen(libdm_library, RTLD_LAZY);

	if (!library) {
		(void)img_err_set(err, IMG_E_NO_DM, 0, "cannot load %s",
				  dlerror());
		return NULL;
	}
#define LIBDM_FIND(name)                                                       \
	if (!find(library, "dm_" #name, &calls.name, err))                     \
		return NULL;
	LIBDM_CALLS(LIBDM_FIND)
#undef LIBDM_FIND
	pages_map_library(libdm_library);
	return &calls;
}
