#include "base/cleanup.h"
#include "base/str.h"
#include "cli/container.h"
#include "cli/format.h"
#include "cli/verb.h"
#include "image/examine.h"
#include "storage/examine.h"
#include "storage/rebuild.h"

#include <string.h>
#include <time.h>

/* Exit status when something is wrong; 1 is that of a doctor who failed. */
#define STATUS_WRONG 2

/* What a living process is at for a moment is gone by the second look. */
#define SECOND_LOOK_MS 300
/* What was mended may have laid bare something else. */
#define REPAIR_ROUNDS 4

struct options {
	const char *format, *data_device, *metadata_device;
	bool repair, rebuild;
};

static const struct option_row rows[] = {
	{ 0, "data-device", "DEVICE", "to rebuild from: the pool's data",
	  OPTION_TEXT, offsetof(struct options, data_device) },
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
	{ 0, "metadata-device", "DEVICE",
	  "to rebuild from: the pool's metadata", OPTION_TEXT,
	  offsetof(struct options, metadata_device) },
	{ 0, "rebuild", NULL,
	  "make a lost or damaged catalog again, from the pool alone",
	  OPTION_FLAG, offsetof(struct options, rebuild) },
	{ 0, "repair", NULL, "mend what can be mended without losing data",
	  OPTION_FLAG, offsetof(struct options, repair) },
};

static int look_once(struct store *store, struct findings *ret,
		     struct img_err *err)
{
	int r = examine_store(store, ret, err);

	if (r == 0)
		r = image_examine(store, ret, err);
	return r < 0 ? r : container_examine(store, ret, err);
}

/* Leaves in @first what @second has as well. */
static void keep_lasting(struct findings *first, const struct findings *second)
{
	size_t n = 0;

	for (size_t i = 0; i < first->n; i++) {
		if (first->all[i].certain ||
		    findings_has(second, &first->all[i]))
			first->all[n++] = first->all[i];
		else
			free(first->all[i].name);
	}
	first->n = n;
}

static int look(struct store *store, struct findings *ret, struct img_err *err)
{
	const struct timespec pause = { .tv_nsec = SECOND_LOOK_MS * 1000000L };
	img_auto(findings_release) struct findings again = { 0 };
	int r = look_once(store, ret, err);

	if (r < 0 || ret->n == 0)
		return r;
	(void)nanosleep(&pause, NULL); /* a signal only hurries it */
	r = look_once(store, &again, err);
	keep_lasting(ret, &again);
	return r;
}

struct report {
	json_t *json;
	bool as_json;
	size_t mended, left;
};

static void tell(struct report *report, const struct finding *f,
		 const char *state, const char *why)
{
	if (!report->as_json) {
		(void)printf("%-9s %-17s %s %s", state, f->kind, f->object,
			     f->text);
		if (why)
			(void)printf("; not mended: %s", why);
		else if (strcmp(state, "mended") != 0)
			(void)printf("; %s%s", f->mend ? "--repair " : "",
				     f->remedy);
		(void)printf("\n");
		return;
	}
	(void)json_array_append_new(
		report->json,
		json_pack("{ss ss ss ss sb sb ss*}", "Kind", f->kind, "Object",
			  f->object, "Text", f->text, "Remedy", f->remedy,
			  "Mendable", f->mend != NULL, "Mended",
			  strcmp(state, "mended") == 0, "Error", why));
}

/* One after the other: what cannot be mended is in nobody's way. */
static size_t mend(struct store *store, const struct findings *findings,
		   struct report *report)
{
	size_t mended = 0;

	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->all[i];
		struct img_err err = { 0 };

		if (!f->mend || f->mend(store, f, &err) < 0)
			continue;
		tell(report, f, "mended", NULL);
		mended++;
	}
	report->mended += mended;
	return mended;
}

/* Why something was not mended: by trying it once more. */
static void tell_left(struct store *store, const struct findings *findings,
		      bool repair, struct report *report)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->all[i];
		struct img_err err = { 0 };

		if (repair && f->mend && f->mend(store, f, &err) < 0)
			tell(report, f, "left", err.msg);
		else
			tell(report, f, repair ? "left" : "found", NULL);
		report->left++;
	}
}

static int examine(struct store *store, bool repair, struct report *report,
		   struct img_err *err)
{
	for (int round = 0;; round++) {
		img_auto(findings_release) struct findings findings = { 0 };
		int r = look(store, &findings, err);

		if (r < 0)
			return r;
		if (repair && round < REPAIR_ROUNDS &&
		    mend(store, &findings, report) > 0)
			continue;
		tell_left(store, &findings, repair, report);
		return 0;
	}
}

static void finish(const struct report *report)
{
	if (report->as_json)
		format_print_json(json_pack("{sO sI sI}", "Findings",
					    report->json, "Mended",
					    (json_int_t)report->mended, "Left",
					    (json_int_t)report->left));
	else if (!report->mended && !report->left)
		(void)printf("all is well\n");
	else
		(void)printf("%zu mended, %zu left\n", report->mended,
			     report->left);
}

static int rebuild(const struct cli *cli, const struct options *o,
		   const struct report *report, struct img_err *err)
{
	img_auto(rebuild_result_release) struct rebuild_result result = { 0 };
	struct store_options store = cli_store_options(cli);
	const struct rebuild_options options = { .store = &store,
						 .found = container_recover };
	int r;

	store.data_device = o->data_device;
	store.metadata_device = o->metadata_device;
	r = rebuild_catalog(&options, &result, err);
	if (r < 0)
		return img_err_prefix(err, "cannot rebuild the catalog");
	if (report->as_json) {
		format_print_json(json_pack(
			"{sI sI sb ss*}", "Images", (json_int_t)result.images,
			"Recovered", (json_int_t)result.others, "NewId",
			result.new_id, "Aside", result.aside));
		return 0;
	}
	(void)printf(
		"%u images, %u containers; those that nothing tells of are "
		"named recovered-*\n",
		result.images, result.others);
	if (result.aside)
		(void)printf("the old catalog is now %s\n", result.aside);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	struct report report = { 0 };
	int r = format_is_json(o->format, &report.as_json, err);

	if (r == 0 && o->rebuild)
		return rebuild(cli, o, &report, err);
	if (r == 0)
		r = cli_open_store_to_examine(cli, &store, err);
	if (r < 0)
		return r;
	report.json = json_array();
	r = examine(store, o->repair, &report, err);
	if (r == 0)
		finish(&report);
	json_decref(report.json);
	return r < 0 ? r : report.left ? STATUS_WRONG : 0;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Hold catalog, pool and devices against each other",
	.description =
		"Looks for volumes that only one of them has, wrong sizes, what "
		"dead processes left,\ndevices and loops that nobody uses, "
		"images that the pool's own record does not know,\nand verifies "
		"all metadata of the pool with its reference counts. "
		"Containers may run\nmeanwhile. Each line says what is wrong "
		"and what --repair would do; where a person\nhas to act, it "
		"says how.\n\n"
		"--rebuild makes a store.db that was lost or damaged again: "
		"images, names, history and\nsettings from the pool's own "
		"record; every other volume becomes a stopped container, as "
		"its\nfile container.json says, or recovered-ID of the image "
		"it shares most with. The old\nfile is kept aside.\n\n"
		"Exits with 0 when all is well or was mended, and with 2 when "
		"something is left.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
