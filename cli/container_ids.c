#include "cli/container_ids.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/colonfile.h"

#include <fcntl.h>
#include <string.h>

#define USER	"img"
#define IDS_TOP UINT64_C(0xfffffffe) /* the one above means "none" */

/* Fields of subuid(5) and subgid(5). */
enum { SUB_NAME, SUB_FIRST, SUB_COUNT, SUB_FIELDS };

static bool parse_number(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > IDS_TOP)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*ret = value;
	return true;
}

static bool parse_range(char *const *fields, struct id_range *ret)
{
	uint64_t first, count;

	if (!parse_number(fields[SUB_FIRST], &first) ||
	    !parse_number(fields[SUB_COUNT], &count) || first == 0 ||
	    first + count > IDS_TOP)
		return false;
	*ret = (struct id_range){ (uint32_t)first, (uint32_t)count };
	return true;
}

int id_ranges_read(int root, const char *path, const char *name,
		   struct id_range *ret, size_t *ret_n, struct img_err *err)
{
	img_auto(colonfile_close) struct colonfile file;
	struct img_err why = { 0 }; /* speaks of an image's files */
	char *f[SUB_FIELDS];
	int r;

	file.fd = -1;
	*ret_n = 0;
	r = colonfile_open(&file, root, path, &why);
	while (r > 0 && *ret_n < ID_RANGES_MAX &&
	       (r = colonfile_next(&file, f, SUB_FIELDS, &why)) > 0)
		if (strcmp(f[SUB_NAME], name) == 0 &&
		    parse_range(f, &ret[*ret_n]))
			(*ret_n)++;
	if (r < 0)
		return img_err_set(err, why.code, why.sys_errno,
				   "cannot read %s", path);
	return 0;
}

static bool is_free(uint32_t base, const uint32_t *used, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (base < (uint64_t)used[i] + USERNS_IDS &&
		    used[i] < (uint64_t)base + USERNS_IDS)
			return false;
	return true;
}

uint32_t id_ranges_choose(const struct id_range *ranges, size_t n,
			  const uint32_t *used, size_t n_used)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t at = 0; ranges[i].count - at >= USERNS_IDS;
		     at += USERNS_IDS)
			if (is_free(ranges[i].first + at, used, n_used))
				return ranges[i].first + at;
	return 0;
}

struct used {
	uint32_t *uids, *gids;
	size_t n;
};

static void used_release(struct used *used)
{
	img_mem_release(&used->uids);
	img_mem_release(&used->gids);
}

/* Answered by the index of both columns alone. */
static int read_used(struct store *store, struct used *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT uid_base, gid_base FROM containers"
			 " WHERE uid_base IS NOT NULL ORDER BY uid_base",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		if (ret->n % 64 == 0) {
			const size_t size = (ret->n + 64) * sizeof(uint32_t);

			ret->uids = mem_realloc(ret->uids, size);
			ret->gids = mem_realloc(ret->gids, size);
		}
		ret->uids[ret->n] = (uint32_t)db_int(row, 0);
		ret->gids[ret->n++] = (uint32_t)db_int(row, 1);
	}
	return r;
}

static int choose(int root, const char *path, const uint32_t *used, size_t n,
		  uint32_t *ret, struct img_err *err)
{
	struct id_range ranges[ID_RANGES_MAX];
	size_t n_ranges;
	int r = id_ranges_read(root, path, USER, ranges, &n_ranges, err);

	if (r < 0)
		return r;
	if (n_ranges == 0) {
		ranges[0] = (struct id_range){ CONTAINER_IDS_FIRST,
					       CONTAINER_IDS_END -
						       CONTAINER_IDS_FIRST };
		n_ranges = 1;
	}
	*ret = id_ranges_choose(ranges, n_ranges, used, n);
	if (*ret != 0)
		return 0;
	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   "no %u ids are free for another container: give the "
			   "user '" USER "' more in %s, or remove containers",
			   USERNS_IDS, path);
}

int container_ids_choose(struct store *store, struct userns *ret,
			 struct img_err *err)
{
	img_auto(used_release) struct used used = { 0 };
	img_auto(img_fd_release) int root = -1;
	int r = read_used(store, &used, err);

	if (r < 0)
		return r;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return img_err_sys(err, "cannot open '/'");
	r = choose(root, "/etc/subuid", used.uids, used.n, &ret->uid_base, err);
	if (r == 0)
		r = choose(root, "/etc/subgid", used.gids, used.n,
			   &ret->gid_base, err);
	return r;
}
