#ifndef IMG_TESTS_LIB_TEMP_STORE_H
#define IMG_TESTS_LIB_TEMP_STORE_H

/*
 * A store in a directory of its own, on the fake device-mapper.
 */
#include "base/id.h"
#include "storage/store.h"
#include "tests/lib/fake_dm.h"

#define TEMP_DIR_MAX 40

struct temp_store {
	char dir[TEMP_DIR_MAX], root[48], run[48], thins[48];
	struct fake_dm *fake;
	struct store_options options; /* with @create set */
};

/* The driver of the stores that are made from now on; NULL: thin. */
extern const char *temp_store_driver;

/* Makes the directory, but no store in it yet. */
void temp_store_init(struct temp_store *t);
void temp_store_release(struct temp_store *t);

/* Opens it, as every command does; it must not fail. */
struct store *temp_store_open(struct temp_store *t);
void temp_store_close(struct store **store);

/* cmocka's setup and teardown: *state is a struct temp_store. */
int temp_store_setup(void **state);
int temp_store_teardown(void **state);
#define test_in_store(fn)                                                      \
	cmocka_unit_test_setup_teardown(fn, temp_store_setup,                  \
					temp_store_teardown)

/* A volume that is whole, and an image on a new one. */
uint32_t temp_store_add_volume(struct store *store);
struct id temp_store_add_image(struct store *store, const char *name);

/* One number from the catalog. */
int64_t temp_store_count(struct store *store, const char *sql);

/* True when no byte of the store's lock file is held. */
bool temp_store_is_unlocked(const struct store *store);

/**
 * temp_store_check - fail the test unless a recovered store is as it should be
 *
 * No intent is left, nothing suspended or half-made, no volume is active but
 * those that @may_be_active (0-terminated) lists, no lock is held; the pool
 * has the ledger and the catalog's volumes and nothing else; each volume
 * belongs to an image or is in @loose (0-terminated), and the ledger knows
 * the catalog's images and no others.
 */
void temp_store_check(struct temp_store *t, struct store *store,
		      const uint32_t *loose, const uint32_t *may_be_active);

#endif
