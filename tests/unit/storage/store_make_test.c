#include "storage/store_make.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/catalog.h"
#include "tests/lib/temp_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static void sizes_have_defaults(void **state)
{
	struct store_sizes sizes = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(store_sizes_check(&driver_thin, &sizes, &err), 0);
	assert_int_equal(sizes.data_bytes, 100 * GIB);
	assert_int_equal(sizes.metadata_bytes, GIB);
	assert_int_equal(sizes.chunk_bytes, 64 * KIB);
	assert_int_equal(sizes.volume_bytes, 10 * GIB);
}

static void sizes_are_rounded(void **state)
{
	struct store_sizes sizes = { .data_bytes = 100 * MIB + 1,
				     .metadata_bytes = 3 * MIB + 5,
				     .chunk_bytes = MIB,
				     .volume_bytes = 50 * MIB + 1 };
	struct img_err err = { 0 };

	assert_int_equal(store_sizes_check(&driver_thin, &sizes, &err), 0);
	assert_int_equal(sizes.data_bytes, 100 * MIB);
	assert_int_equal(sizes.metadata_bytes, 3 * MIB);
	assert_int_equal(sizes.volume_bytes, 50 * MIB + 4 * KIB);
}

static void sizes_have_limits(void **state)
{
	static const struct {
		struct store_sizes sizes;
		const char *message; /* NULL: right */
	} cases[] = {
		{ { .chunk_bytes = 64 * KIB }, NULL },
		{ { .chunk_bytes = GIB }, NULL },
		{ { .chunk_bytes = 32 * KIB }, "the chunk size" },
		{ { .chunk_bytes = 2 * GIB }, "the chunk size" },
		{ { .chunk_bytes = 96 * KIB }, "the chunk size" },
		{ { .chunk_bytes = 1 }, "the chunk size" },
		{ { .metadata_bytes = 2 * MIB }, NULL },
		{ { .metadata_bytes = 16 * GIB }, NULL },
		{ { .metadata_bytes = 2 * MIB - 1 }, "the metadata size" },
		{ { .metadata_bytes = 16 * GIB + 1 }, "the metadata size" },
		{ { .data_bytes = MIB }, NULL },
		{ { .data_bytes = MIB - 1 }, "the data size" },
		{ { .data_bytes = 15 * GIB, .chunk_bytes = GIB },
		  "the data size" },
		{ { .volume_bytes = INT64_MAX }, "the volume size" },
		{ { .volume_bytes = UINT64_MAX }, "the volume size" },
		{ { .volume_bytes = 16 * TIB }, "the volume size" },
		{ { .volume_bytes = 16 * MIB - 1 }, "the volume size" },
		{ { .volume_bytes = 16 * MIB }, NULL },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct store_sizes sizes = cases[i].sizes;
		struct img_err err = { 0 };
		int r = store_sizes_check(&driver_thin, &sizes, &err);

		if (!cases[i].message) {
			assert_int_equal(r, 0);
			continue;
		}
		if (r != -IMG_E_INPUT)
			fail_msg("case %zu was taken", i);
		if (strncmp(err.msg, cases[i].message,
			    strlen(cases[i].message)) != 0)
			fail_msg("case %zu: %s", i, err.msg);
	}
}

static int open_store(struct temp_store *t, bool create, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;

	t->options.create = create;
	return store_open(&t->options, &store, err);
}

static void assert_refused(struct temp_store *t, enum img_code code,
			   const char *text)
{
	struct img_err err = { 0 };

	assert_int_equal(open_store(t, true, &err), -(int)code);
	if (!strstr(err.msg, text))
		fail_msg("%s", err.msg);
}

static void no_store_is_made_unasked(void **state)
{
	struct temp_store *t = *state;
	struct img_err err = { 0 };

	assert_int_equal(open_store(t, false, &err), -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "there is no store in"));
	assert_non_null(strstr(err.msg, "'img init'"));
	assert_int_equal(access(t->root, F_OK), -1);
}

static void the_files_are_sparse_and_private(void **state)
{
	struct temp_store *t = *state;
	struct img_err err = { 0 };
	char path[80];
	struct stat st;

	assert_int_equal(open_store(t, true, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/pool/data", t->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 100 * MIB);
	assert_int_equal(st.st_blocks, 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	(void)snprintf(path, sizeof(path), "%s/pool", t->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	(void)snprintf(path, sizeof(path), "%s/store.db", t->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
}

static void settings_outlast_the_options(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	struct img_err err = { 0 };

	assert_int_equal(open_store(t, true, &err), 0);
	t->options.sizes = (struct store_sizes){ .chunk_bytes = MIB };
	store = temp_store_open(t);
	assert_int_equal(store_chunk_bytes(store), 64 * KIB);
	assert_int_equal(store_volume_bytes(store), 64 * MIB);
}

static void write_file(const struct temp_store *t, const char *name,
		       const char *text)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/%s", t->root, name);
	img_auto(img_stdio_release) FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void assert_file(const struct temp_store *t, const char *name,
			const char *text)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/%s", t->root, name);
	img_auto(img_mem_release) char *got = NULL;
	struct img_err err = { 0 };

	assert_int_equal(file_read_all(AT_FDCWD, path, 4096, &got, NULL, &err),
			 0);
	assert_string_equal(got, text);
}

static void a_pool_without_its_catalog_is_left_alone(void **state)
{
	static const char *const names[] = { "pool/data", "pool/metadata" };
	struct temp_store *t = *state;
	struct img_err err = { 0 };
	char pool[64];

	(void)snprintf(pool, sizeof(pool), "%s/pool", t->root);
	assert_int_equal(file_mkdirs(pool, 0700, &err), 0);
	for (size_t i = 0; i < IMG_COUNT(names); i++) {
		img_auto(img_mem_release) char *path =
			mem_printf("%s/%s", t->root, names[i]);

		write_file(t, names[i], "precious");
		assert_refused(t, IMG_E_CORRUPT, "is gone");
		assert_refused(t, IMG_E_CORRUPT, names[i]);
		assert_file(t, names[i], "precious");
		assert_int_equal(unlink(path), 0);
	}
}

static void what_is_no_catalog_is_left_alone(void **state)
{
	struct temp_store *t = *state;
	struct img_err err = { 0 };

	assert_int_equal(file_mkdirs(t->root, 0700, &err), 0);
	write_file(t, "store.db", "this is somebody's letter, not a database");
	assert_refused(t, IMG_E_CORRUPT, "store.db");
	assert_file(t, "store.db", "this is somebody's letter, not a database");
}

static void run_sql(const struct temp_store *t, const char *sql)
{
	img_auto(db_close) struct db *db = NULL;
	img_auto(img_mem_release) char *path =
		mem_printf("%s/store.db", t->root);
	struct img_err err = { 0 };

	assert_int_equal(db_open(path, false, "", CATALOG_VERSION, &db, &err),
			 0);
	assert_true(db_run(db, &err, sql, "") >= 0);
}

static void a_catalog_of_another_version_is_left_alone(void **state)
{
	struct temp_store *t = *state;
	char wanted[64];
	struct img_err err = { 0 };

	assert_int_equal(open_store(t, true, &err), 0);
	run_sql(t, "PRAGMA user_version = 1000");
	(void)snprintf(wanted, sizeof(wanted),
		       "store.db has format 1000, this img knows %d",
		       CATALOG_VERSION);
	assert_refused(t, IMG_E_UNSUPPORTED, wanted);
}

static void damaged_settings_are_named(void **state)
{
	static const struct {
		const char *damage, *mend;
		enum img_code code;
		const char *text;
	} cases[] = {
		{ "UPDATE settings SET value = 'x' WHERE key = 'chunk_bytes'",
		  "UPDATE settings SET value = 65536 WHERE key = 'chunk_bytes'",
		  IMG_E_INPUT, "chunk_bytes 'x' is not a whole number" },
		{ "UPDATE settings SET value = 'magic' WHERE key = 'driver'",
		  "UPDATE settings SET value = 'thin' WHERE key = 'driver'",
		  IMG_E_UNSUPPORTED, "uses the driver 'magic'" },
		{ "DELETE FROM settings WHERE key = 'data_bytes'",
		  "INSERT INTO settings VALUES ('data_bytes', '1048576')",
		  IMG_E_CORRUPT, "the catalog has no setting 'data_bytes'" },
		{ "UPDATE settings SET value = '12' WHERE key = 'store_id'",
		  NULL, IMG_E_CORRUPT, "store id is damaged" },
	};
	struct temp_store *t = *state;
	struct img_err err = { 0 };

	assert_int_equal(open_store(t, true, &err), 0);
	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		run_sql(t, cases[i].damage);
		assert_refused(t, cases[i].code, cases[i].text);
		if (cases[i].mend)
			run_sql(t, cases[i].mend);
	}
}

#define MAKERS 8

static void many_makers_get_one_store(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	int gate[2];
	char byte;

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	for (int i = 0; i < MAKERS; i++) {
		struct img_err err = { 0 };
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		(void)close(gate[1]);
		(void)!read(gate[0], &byte, 1); /* until all are there */
		if (open_store(t, true, &err) < 0) {
			(void)fprintf(stderr, "%s\n", err.msg);
			_exit(1);
		}
		_exit(0);
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (int i = 0; i < MAKERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	store = temp_store_open(t);
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM settings"
						 " WHERE key = 'store_id'"),
			 1);
}

/* The power went before there was a catalog. */
static void what_was_only_begun_is_gone_on_with(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	img_auto(img_mem_release) char *volumes =
		mem_printf("%s/volumes", t->root);
	img_auto(img_mem_release) char *db = mem_printf("%s/store.db", t->root);

	t->options.driver = "snapshot";
	t->options.sizes.data_bytes = t->options.sizes.metadata_bytes = 0;
	assert_int_equal(mkdir(t->root, 0700), 0);
	assert_int_equal(mkdir(volumes, 0700), 0);
	store = temp_store_open(t);
	(void)temp_store_add_image(store, "a");
	store_close(&store);
	/* Now there is something to be lost. */
	assert_int_equal(unlink(db), 0);
	assert_refused(t, IMG_E_CORRUPT, "'img doctor --rebuild'");
}

static void devices_are_for_a_pool(void **state)
{
	struct temp_store *t = *state;
	struct stat st;

	t->options.driver = "snapshot";
	t->options.sizes.data_bytes = t->options.sizes.metadata_bytes = 0;
	t->options.data_device = t->options.metadata_device = "/dev/null";
	assert_refused(t, IMG_E_INPUT,
		       "the driver snapshot has no pool: it takes neither "
		       "--data-device nor --metadata-device");
	assert_int_equal(stat(t->root, &st), -1);
}

static void a_directory_that_cannot_be_made(void **state)
{
	struct temp_store *t = *state;

	t->options.root = "/proc/img-root";
	assert_refused(t, IMG_E_NOT_FOUND,
		       "cannot make the directory /proc/img-root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_defaults),
		cmocka_unit_test(sizes_are_rounded),
		cmocka_unit_test(sizes_have_limits),
		test_in_store(no_store_is_made_unasked),
		test_in_store(the_files_are_sparse_and_private),
		test_in_store(settings_outlast_the_options),
		test_in_store(a_pool_without_its_catalog_is_left_alone),
		test_in_store(what_is_no_catalog_is_left_alone),
		test_in_store(a_catalog_of_another_version_is_left_alone),
		test_in_store(damaged_settings_are_named),
		test_in_store(many_makers_get_one_store),
		test_in_store(what_was_only_begun_is_gone_on_with),
		test_in_store(devices_are_for_a_pool),
		test_in_store(a_directory_that_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
