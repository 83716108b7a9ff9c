#include "tests/lib/crash_volume.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OWNED_MAX 8

static int keep(struct volume_pending *new,
		int (*settle)(struct volume_pending *new, struct img_err *err),
		void (*done)(struct volume_pending *new), struct img_err *err)
{
	struct db *db = store_db(new->store);
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(db, false, err);

	if (r < 0)
		return r;
	txn = db;
	r = settle(new, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r == 0)
		done(new);
	return r;
}

int crash_volume_keep(struct volume_pending *new, struct img_err *err)
{
	return keep(new, volume_settle, volume_keep, err);
}

int crash_volume_begin_run(struct volume_pending *new, struct img_err *err)
{
	return keep(new, volume_settle_running, volume_keep_running, err);
}

int crash_volume_run(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume origin;
	char node[VOLUME_NODE_MAX];
	int r = volume_find(store, c->volume[0], &origin, err);

	if (r == 0)
		r = volume_snapshot(store, &origin, &new, err);
	if (r == 0)
		r = crash_volume_begin_run(&new, err);
	if (r == 0)
		r = volume_activate(store, &new.volume, node, err);
	if (r == 0)
		r = volume_deactivate(store, &new.volume, err);
	return r < 0 ? r : crash_volume_keep(&new, err);
}

void crash_volume_check_owned(const struct crash_case *c, struct store *store)
{
	uint32_t loose[OWNED_MAX + 1] = { 0 };
	img_auto(db_row_end) struct db_row *row = NULL;
	struct img_err err = { 0 };
	size_t n = 0;

	assert_int_equal(db_query(store_db(store), &row, &err,
				  "SELECT volume FROM containers UNION ALL"
				  " SELECT volume FROM snapshots UNION ALL"
				  " SELECT volume FROM named_volumes",
				  ""),
			 0);
	while (db_next(row, &err) > 0 && n < OWNED_MAX)
		loose[n++] = (uint32_t)db_int(row, 0);
	db_row_end(&row);
	temp_store_check(c->t, store, loose, NULL);
}

uint32_t crash_volume_newest(struct store *store)
{
	return (uint32_t)temp_store_count(store, "SELECT max(id) FROM volumes");
}

void crash_volume_mark(struct store *store, const struct volume *volume,
		       const char *mark)
{
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];
	FILE *f;

	assert_int_equal(volume_activate(store, volume, node, &err), 0);
	f = fopen(node, "r+e");
	assert_non_null(f);
	assert_true(fputs(mark, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

bool crash_volume_has_mark(const struct crash_case *c, uint32_t id,
			   const char *mark)
{
	char path[80], text[16] = "";
	FILE *f;

	assert_true(strlen(mark) < sizeof(text));
	(void)snprintf(path, sizeof(path), "%s/thin-%u", c->t->thins, id);
	f = fopen(path, "re");
	assert_non_null(f);
	(void)fread(text, 1, strlen(mark), f); /* or it is empty */
	assert_int_equal(fclose(f), 0);
	return strcmp(text, mark) == 0;
}
