#include "machine/pages.h"

#include "base/attr.h"
#include "machine/guest.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_BYTES 4096u

#ifndef MADV_POPULATE_READ /* Linux 5.14 */
#define MADV_POPULATE_READ 22
#endif

/* The program itself has no name.  What else is loaded is hardly used. */
static bool is_used(const char *name)
{
	static const char *const libraries[] = {
		"/libc.so.",
		"/libdevmapper.so.",
		"/libjansson.so.",
		"/libsqlite3.so.",
	};

	for (size_t i = 0; i < IMG_COUNT(libraries); i++)
		if (strstr(name, libraries[i]))
			return true;
	return !*name;
}

/* The kernel maps what it was asked to populate only when it has to look at all
 * of it: when its protection changes.  Code stays executable meanwhile, and
 * nobody reads it. */
static void map_code(uintptr_t from, uintptr_t to)
{
	size_t len = to - from;

	if (syscall(SYS_madvise, from, len, MADV_POPULATE_READ) == 0 &&
	    syscall(SYS_mprotect, from, len, PROT_EXEC) == 0)
		/* as it was before: no failure is to be expected */
		(void)syscall(SYS_mprotect, from, len, PROT_READ | PROT_EXEC);
}

static int map_object(struct dl_phdr_info *info, size_t size, void *self)
{
	if (!is_used(info->dlpi_name))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + part->p_vaddr;
		uintptr_t to = from + part->p_memsz;

		if (part->p_type == PT_LOAD &&
		    (part->p_flags & (PF_X | PF_W)) == PF_X)
			map_code(from & ~(uintptr_t)(PAGE_BYTES - 1),
				 (to + PAGE_BYTES - 1) &
					 ~(uintptr_t)(PAGE_BYTES - 1));
	}
	return 0;
}

void pages_map_program(void)
{
	if (access(GUEST_BIN_DIR, F_OK) == 0)
		(void)dl_iterate_phdr(map_object, NULL); /* 0 */
}
