#ifndef IMG_CLI_VOLUME_VIEW_H
#define IMG_CLI_VOLUME_VIEW_H

/*
 * What is shown of a named volume, and which are.
 */
#include "cli/options.h"
#include "image/named_volume.h"
#include "storage/account.h"

/* As `volume inspect` has it, docker's members and some more; @ret is the
 * caller's. */
int volume_view_json(struct store *store, const struct named_volume *named,
		     struct account *account, json_t **ret,
		     struct img_err *err) IMG_MUST_USE;

struct volume_filter {
	const struct text_list *texts;
	bool dangling, no_dangling;
};

/* --filter of `volume ls`: name=, label=, label!=, dangling=.  Of names any
 * may match, all else must.  IMG_E_INPUT names another one. */
int volume_filter_read(const struct text_list *texts, struct volume_filter *ret,
		       struct img_err *err) IMG_MUST_USE;

/* 1 when it is to be shown.  @used: a container has it. */
int volume_filter_match(const struct volume_filter *filter,
			const struct named_volume *named, bool used,
			struct img_err *err);

#endif
