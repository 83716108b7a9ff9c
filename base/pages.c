#include "base/pages.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_BYTES ((uintptr_t)4096)

#define HEAP_BYTES  ((size_t)320 * 1024) /* of a command that runs one */
#define STACK_BYTES ((uintptr_t)48 * 1024)

#ifndef MADV_POPULATE_READ /* Linux 5.14 */
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/*
 * The kernel maps what it was asked to populate only when it has to look at all
 * of it: when its protection changes.  Nobody uses these pages meanwhile, with
 * the exception of code, which stays executable.
 */
static void map(uintptr_t from, uintptr_t to, int protection, bool writes)
{
	int meanwhile = protection == PROT_READ	   ? PROT_NONE
			: (protection & PROT_EXEC) ? PROT_EXEC
						   : PROT_READ;

	from &= ~(PAGE_BYTES - 1);
	to = (to + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	if (from < to &&
	    syscall(SYS_madvise, from, to - from,
		    writes ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0 &&
	    syscall(SYS_mprotect, from, to - from, meanwhile) == 0)
		/* as it was before: no failure is to be expected */
		(void)syscall(SYS_mprotect, from, to - from, protection);
}

/* Data that only the loader writes is mapped by then, and read-only. */
static void map_data(const struct dl_phdr_info *info, const ElfW(Phdr) * part)
{
	uintptr_t from = info->dlpi_addr + part->p_vaddr;
	uintptr_t to = from + part->p_memsz;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *sealed = &info->dlpi_phdr[i];

		if (sealed->p_type == PT_GNU_RELRO)
			from = (info->dlpi_addr + sealed->p_vaddr +
				sealed->p_memsz + PAGE_BYTES - 1) &
			       ~(PAGE_BYTES - 1);
	}
	map(from, to, PROT_READ | PROT_WRITE, true);
}

static void map_part(const struct dl_phdr_info *info, const ElfW(Phdr) * part,
		     bool data_only)
{
	uintptr_t from = info->dlpi_addr + part->p_vaddr;
	uintptr_t to = from + part->p_memsz;

	if (part->p_type != PT_LOAD)
		return;
	if (part->p_flags & PF_W)
		map_data(info, part);
	else if (!data_only)
		map(from, to,
		    part->p_flags & PF_X ? PROT_READ | PROT_EXEC : PROT_READ,
		    false);
}

struct wanted {
	const char *library; /* NULL: the program itself, and libc */
	bool data_only;
};

static int map_object(struct dl_phdr_info *info, size_t size, void *self)
{
	const struct wanted *wanted = self;
	const char *name = info->dlpi_name;

	/* The program itself has no name. */
	if (wanted->library ? !strstr(name, wanted->library)
			    : *name && !strstr(name, "/libc.so."))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		map_part(info, &info->dlpi_phdr[i], wanted->data_only);
	return 0;
}

/* What the heap grows by at first; it is not given back in between. */
static void map_heap(void)
{
	static void *start;
	void *volatile whole; /* or the compiler leaves both calls out */

	if (!start) {
		(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
		(void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
		start = (char *)sbrk(0) - mallinfo2().arena;
		whole = malloc(HEAP_BYTES);
		free(whole);
	}
	map((uintptr_t)start, (uintptr_t)sbrk(0), PROT_READ | PROT_WRITE, true);
}

/* The kernel makes it larger than this for every program. */
static void map_stack(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	here -= here % PAGE_BYTES;
	map(here - STACK_BYTES, here - PAGE_BYTES, PROT_READ | PROT_WRITE,
	    true);
}

static bool in_machine(void)
{
	static int known = -1; /* a child of ours may be where it is not seen */

	if (known < 0)
		known = access(PAGES_MACHINE_BIN, F_OK) == 0;
	return known;
}

static void map_all(bool data_only)
{
	struct wanted wanted = { .data_only = data_only };

	if (!in_machine())
		return;
	(void)dl_iterate_phdr(map_object, &wanted); /* 0 */
	map_heap();
	map_stack();
}

void pages_map_program(void)
{
	map_all(false);
}

void pages_map_data(void)
{
	map_all(true);
}

void pages_map_library(const char *name)
{
	struct wanted wanted = { .library = name };

	if (in_machine())
		(void)dl_iterate_phdr(map_object, &wanted); /* 0 */
}

void pages_map_file(void *from, size_t bytes)
{
	if (in_machine())
		map((uintptr_t)from, (uintptr_t)from + bytes,
		    PROT_READ | PROT_WRITE, false);
}
