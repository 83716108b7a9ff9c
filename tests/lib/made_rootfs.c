#include "tests/lib/made_rootfs.h"

#include "base/num.h"
#include "tests/lib/tar_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

const struct rootfs_options made_plain = {
	.label = "test",
	.uuid = (const uint8_t *)"0123456789abcdef",
	.now_s = 1000,
};

int made_rootfs_setup(void **state)
{
	struct made_rootfs *f = mem_zalloc(sizeof(*f));

	ext4_image_init(&f->image, 64 * MIB);
	*state = f;
	return 0;
}

int made_rootfs_teardown(void **state)
{
	struct made_rootfs *f = *state;

	ext4_image_release(&f->image);
	str_release(&f->tar);
	str_release(&f->out);
	free(f);
	return 0;
}

void made_import(struct made_rootfs *f)
{
	tar_make_end(&f->tar);
	if (ext4_image_import(&f->image, &f->tar, &made_plain, &f->stats,
			      &f->err) < 0)
		fail_msg("%s", f->err.msg);
	ext4_image_check(&f->image);
}

void made_refused(struct made_rootfs *f, const struct rootfs_options *options,
		  enum img_code code, const char *message)
{
	f->err = (struct img_err){ 0 };
	tar_make_end(&f->tar);
	assert_int_equal(ext4_image_import(&f->image, &f->tar, options, NULL,
					   &f->err),
			 -(int)code);
	assert_string_equal(f->err.msg, message);
	f->tar.len = 0;
}
