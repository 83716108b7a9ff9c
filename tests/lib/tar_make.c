#include "tests/lib/tar_make.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 512u

/* POSIX pax(1), "ustar Interchange Format" */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char checksum[8], type, link[100], magic[8], uname[32], gname[32];
	char dev_major[8], dev_minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "one block");

static void octal(char *field, size_t size, unsigned long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%0*lo", (int)size - 1, value);
	memcpy(field, text, size);
}

static void checksum_set(struct ustar *h, bool bad)
{
	unsigned long sum = bad ? 1 : 0;

	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((unsigned char *)h)[i];
	octal(h->checksum, 7, sum);
}

void tar_make_entry(struct str *tar, const struct tar_header *header,
		    const void *data, size_t size)
{
	static const char zeroes[BLOCK];
	struct ustar h = { .type = header->type ? header->type : '0' };

	memcpy(h.name, header->name, strnlen(header->name, sizeof(h.name)));
	if (header->link)
		memcpy(h.link, header->link,
		       strnlen(header->link, sizeof(h.link)));
	octal(h.mode, sizeof(h.mode), header->mode ? header->mode : 0644);
	octal(h.uid, sizeof(h.uid), header->uid);
	octal(h.gid, sizeof(h.gid), header->gid);
	octal(h.size, sizeof(h.size), size);
	if (header->raw_size)
		memcpy(h.size, header->raw_size, sizeof(h.size));
	octal(h.mtime, sizeof(h.mtime), header->mtime);
	octal(h.dev_major, sizeof(h.dev_major), header->dev_major);
	octal(h.dev_minor, sizeof(h.dev_minor), header->dev_minor);
	memcpy(h.magic, "ustar\00000", sizeof(h.magic));
	checksum_set(&h, header->bad_checksum);
	str_addn(tar, (const char *)&h, sizeof(h));
	str_addn(tar, data, size);
	str_addn(tar, zeroes, -size % BLOCK);
}

void tar_make_file(struct str *tar, const char *name, const char *text)
{
	tar_make_entry(tar, &(struct tar_header){ .name = name }, text,
		       strlen(text));
}

void tar_make_dir(struct str *tar, const char *name)
{
	tar_make_entry(
		tar,
		&(struct tar_header){ .name = name, .type = '5', .mode = 0755 },
		"", 0);
}

void tar_make_symlink(struct str *tar, const char *name, const char *target)
{
	tar_make_entry(tar,
		       &(struct tar_header){ .name = name,
					     .type = '2',
					     .mode = 0777,
					     .link = target },
		       "", 0);
}

void tar_make_hardlink(struct str *tar, const char *name, const char *target)
{
	tar_make_entry(tar,
		       &(struct tar_header){
			       .name = name, .type = '1', .link = target },
		       "", 0);
}

void tar_make_record(struct str *records, const char *key, const void *value,
		     size_t size)
{
	size_t rest = strlen(key) + size + 3, len = rest;
	char text[24];

	/* the length counts its own digits */
	while ((size_t)snprintf(text, sizeof(text), "%zu", len) + rest != len)
		len = (size_t)snprintf(text, sizeof(text), "%zu", len) + rest;
	str_addf(records, "%zu %s=", len, key);
	str_addn(records, value, size);
	str_add(records, "\n");
}

void tar_make_pax_header(struct str *tar, const struct str *records)
{
	tar_make_entry(tar, &(struct tar_header){ .name = "pax", .type = 'x' },
		       records->s, records->len);
}

void tar_make_pax(struct str *tar, const char *key, const void *value,
		  size_t size)
{
	struct str records = { 0 };

	tar_make_record(&records, key, value, size);
	tar_make_pax_header(tar, &records);
	str_release(&records);
}

void tar_make_end(struct str *tar)
{
	static const char zeroes[2 * BLOCK];

	str_addn(tar, zeroes, sizeof(zeroes));
}
