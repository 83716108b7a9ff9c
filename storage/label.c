#include "storage/label.h"

#include "base/crc32c.h"
#include "base/file.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#define LABEL_MAGIC  UINT64_C(0x4c4142454c474d49) /* "IMGLABEL" */
#define LABEL_FORMAT 1u

struct disk_label {
	uint64_t magic;
	uint32_t format;
	uint32_t csum; /* CRC-32C of the block, this field being zero */
	uint64_t data_bytes;
	char store_id[STORE_ID_LEN];
	char root[LABEL_ROOT_MAX];
	uint8_t unused[LABEL_BYTES - 24 - STORE_ID_LEN - LABEL_ROOT_MAX];
};
_Static_assert(sizeof(struct disk_label) == LABEL_BYTES, "layout");

uint64_t label_data_bytes(uint64_t size_bytes, uint64_t chunk_bytes)
{
	if (size_bytes < LABEL_BYTES)
		return 0;
	return (size_bytes - LABEL_BYTES) / chunk_bytes * chunk_bytes;
}

static uint32_t checksum(const struct disk_label *disk)
{
	struct disk_label copy = *disk;

	copy.csum = 0;
	return ~crc32c_update(UINT32_MAX, &copy, sizeof(copy));
}

int label_write(int fd, const struct label *label, const char *name,
		struct img_err *err)
{
	struct disk_label disk = {
		.magic = htole64(LABEL_MAGIC),
		.format = htole32(LABEL_FORMAT),
		.data_bytes = htole64(label->data_bytes),
	};
	int r;

	memcpy(disk.store_id, label->store_id, sizeof(disk.store_id));
	memcpy(disk.root, label->root, sizeof(disk.root));
	disk.csum = htole32(checksum(&disk));
	r = file_pwrite(fd, &disk, sizeof(disk), label->data_bytes, name, err);
	if (r == 0 && fsync(fd) < 0)
		r = img_err_sys(err, "cannot sync %s", name);
	return r;
}

int label_read(int fd, uint64_t data_bytes, const char *name, struct label *ret,
	       struct img_err *err)
{
	_Alignas(LABEL_BYTES) struct disk_label disk; /* for direct I/O */
	int r = file_pread(fd, &disk, sizeof(disk), data_bytes, name, err);

	if (r < 0)
		return r;
	if (le64toh(disk.magic) != LABEL_MAGIC ||
	    le32toh(disk.format) != LABEL_FORMAT ||
	    le32toh(disk.csum) != checksum(&disk))
		return 0;
	*ret = (struct label){ .data_bytes = le64toh(disk.data_bytes) };
	memcpy(ret->store_id, disk.store_id, sizeof(disk.store_id));
	memcpy(ret->root, disk.root, sizeof(ret->root) - 1);
	return 1;
}
