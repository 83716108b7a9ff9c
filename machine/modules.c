/* The one file that knows libkmod; it lives in the part "machine". */
#include "machine/machine.h"

#include <errno.h>
#include <libkmod.h>
#include <stddef.h>

static int load(struct kmod_ctx *ctx, const char *name, struct img_err *err)
{
	struct kmod_list *found = NULL, *at;
	int r = kmod_module_new_from_lookup(ctx, name, &found);

	if (r == 0 && !found)
		r = -ENOENT;
	kmod_list_foreach(at, found)
	{
		struct kmod_module *module = kmod_module_get_module(at);

		if (r >= 0)
			r = kmod_module_probe_insert_module(module, 0, NULL,
							    NULL, NULL, NULL);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(found);
	if (r >= 0 || r == -EEXIST)
		return 0;
	return img_err_set(err, IMG_E_UNSUPPORTED, -r,
			   "cannot load the kernel module %s", name);
}

int machine_load_modules(const char *dir, const char *const *names,
			 struct img_err *err)
{
	const char *no_config = NULL;
	struct kmod_ctx *ctx = kmod_new(dir, &no_config);
	int r = 0;

	if (!ctx)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "cannot read the kernel modules in %s", dir);
	for (; r == 0 && *names; names++)
		r = load(ctx, *names, err);
	kmod_unref(ctx);
	return r;
}
