#include "image/rootfs.h"

#include "tests/lib/made_rootfs.h"
#include "tests/lib/tar_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Files with holes: as a tar maps them, and as they are in the ext4. */

/* A file in GNU's sparse format 1.0: @map and then its content. */
static void make_sparse(struct str *tar, const char *name, const char *real,
			const struct str *body)
{
	struct str records = { 0 };

	tar_make_record(&records, "GNU.sparse.major", "1", 1);
	tar_make_record(&records, "GNU.sparse.minor", "0", 1);
	tar_make_record(&records, "GNU.sparse.name", name, strlen(name));
	tar_make_record(&records, "GNU.sparse.realsize", real, strlen(real));
	tar_make_pax_header(tar, &records);
	tar_make_entry(tar, &(struct tar_header){ .name = "x" }, body->s,
		       body->len);
	str_release(&records);
}

/* Content in every other block, 3000 times: an extent tree of two levels. */
static void holes_stay_holes(void **state)
{
	struct made_rootfs *f = *state;
	struct ext2_inode_large inode;
	struct str body = { 0 };
	const unsigned n = 3000;

	str_addf(&body, "%u\n", n);
	for (unsigned i = 0; i < n; i++)
		str_addf(&body, "%u\n512\n", i * 8192 + 100);
	str_addn(&body, (const char[512]){ 0 }, -body.len % 512);
	for (unsigned i = 0; i < n; i++)
		str_addf(&body, "%-512u", i);
	make_sparse(&f->tar, "sparse", "5497558138880", &body);
	made_import(f);
	(void)ext4_image_stat(&f->image, "/sparse", &inode);
	assert_int_equal(EXT2_I_SIZE(&inode), 5ULL << 40);
	/* a block each, nine leaves of the tree and an index block */
	assert_int_equal(inode.i_blocks, (n + 10) * 8);
	str_release(&body);
}

static void content_lies_where_the_map_says(void **state)
{
	struct made_rootfs *f = *state;
	struct str body = { 0 };
	static const char zeroes[20000];

	str_addf(&body, "3\n100\n512\n612\n512\n9000\n512\n");
	str_addn(&body, zeroes, -body.len % 512);
	str_addf(&body, "%-512d%-512d%-512d", 1, 2, 3);
	make_sparse(&f->tar, "sparse", "20000", &body);
	made_import(f);
	ext4_image_read(&f->image, "/sparse", &f->out);
	assert_int_equal(f->out.len, 20000);
	assert_memory_equal(f->out.s, zeroes, 100);
	assert_memory_equal(f->out.s + 100, body.s + 512, 1024);
	assert_memory_equal(f->out.s + 1124, zeroes, 9000 - 1124);
	assert_memory_equal(f->out.s + 9000, body.s + 1536, 512);
	assert_memory_equal(f->out.s + 9512, zeroes, 20000 - 9512);
	str_release(&body);
}

static void sparse_maps_are_checked(void **state)
{
	struct made_rootfs *f = *state;
	struct str body = { 0 };

	str_add(&body, "2\n5000\n512\n0\n512\n");
	str_addn(&body, (const char[2048]){ 0 }, 512 + 1024 - body.len);
	make_sparse(&f->tar, "s", "100000", &body);
	made_refused(f, &made_plain, IMG_E_INPUT,
		     "entry 1 's' has a map of holes that is out of order");
	make_sparse(&f->tar, "s", "5000", &body);
	made_refused(f, &made_plain, IMG_E_INPUT,
		     "entry 1 's' has content beyond its size");
	make_sparse(&f->tar, "s", "-1", &body);
	made_refused(f, &made_plain, IMG_E_INPUT,
		     "entry 1 's' has a negative size");
	make_sparse(&f->tar, "s", "20000000000000", &body);
	made_refused(
		f, &made_plain, IMG_E_INPUT,
		"entry 1 's' has 20000000000000 bytes; ext4 holds 16 TiB a "
		"file");
	str_release(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_rootfs(holes_stay_holes),
		test_in_rootfs(content_lies_where_the_map_says),
		test_in_rootfs(sparse_maps_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
