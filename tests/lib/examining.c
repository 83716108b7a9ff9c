#include "tests/lib/examining.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/adopt.h"
#include "image/examine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct store *examining_open(struct temp_store *t)
{
	struct store *store;

	t->options.examine = true;
	t->options.adopt = image_adopt;
	store = temp_store_open(t);
	t->options.examine = false;
	return store;
}

void examining_look(struct store *store, struct findings *ret)
{
	struct img_err err = { 0 };

	if (examine_store(store, ret, &err) < 0 ||
	    image_examine(store, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

char *examining_list(const struct findings *findings)
{
	struct str out = { 0 };

	for (size_t i = 0; i < findings->n; i++)
		str_addf(&out, "%s: %s\n", findings->all[i].kind,
			 findings->all[i].object);
	return str_take(&out);
}

void examining_run_sql(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

void examining_assert_well(struct store *store)
{
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *text = NULL;

	examining_look(store, &found);
	text = examining_list(&found);
	assert_string_equal(text, "");
}

/* Finds just that; mends it, and then all is well. */
void examining_find_and_mend(struct store *store, const char *expect)
{
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *text = NULL;

	examining_look(store, &found);
	text = examining_list(&found);
	assert_string_equal(text, expect);
	for (size_t i = 0; i < found.n; i++) {
		struct img_err err = { 0 };

		assert_true(found.all[i].text[0] && found.all[i].remedy[0]);
		assert_non_null(found.all[i].mend);
		if (found.all[i].mend(store, &found.all[i], &err) < 0)
			fail_msg("%s: %s", found.all[i].kind, err.msg);
	}
	examining_assert_well(store);
}

/* Two volumes: 1 is an image's, 2 is whole and of nobody storage/ knows. */
struct store *examining_begin(struct temp_store *t)
{
	struct store *store = temp_store_open(t);

	(void)temp_store_add_image(store, "a:1");
	(void)temp_store_add_volume(store);
	store_close(&store);
	return examining_open(t);
}
