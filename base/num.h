#ifndef IMG_BASE_NUM_H
#define IMG_BASE_NUM_H

/*
 * Quantities: parsing what people type, printing what people read, and the
 * one place where bytes become sectors.
 */
#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR_BYTES 512u
#define KIB	     UINT64_C(1024)
#define MIB	     (KIB * 1024)
#define GIB	     (MIB * 1024)
#define TIB	     (GIB * 1024)

#define SIZE_TEXT_MAX 16

static inline uint64_t num_align_up(uint64_t value, uint64_t step)
{
	return (value + step - 1) / step * step;
}

/* Whole sectors only: device-mapper knows nothing smaller. */
static inline uint64_t num_sectors(uint64_t bytes)
{
	return bytes / SECTOR_BYTES;
}

/**
 * num_parse_u64 - read a whole decimal number, nothing before or after it
 * Returns 0, or -IMG_E_INPUT naming @what.
 */
int num_parse_u64(const char *text, const char *what, uint64_t *ret,
		  struct img_err *err) IMG_MUST_USE;

/**
 * num_parse_size - read a size as people type it: 10G, 512m, 64k, 4096
 *
 * Units are powers of 1024: b k m g t p, either case, with or without a
 * following "b" or "ib"; none means bytes.  Fractions as in 1.5G are taken.
 * Returns 0, or -IMG_E_INPUT naming @what.
 */
int num_parse_size(const char *text, const char *what, uint64_t *ret_bytes,
		   struct img_err *err) IMG_MUST_USE;

/**
 * num_format_size - write bytes for people: "0 B", "1.5 GiB", "170 MiB"
 * Returns @out, which holds SIZE_TEXT_MAX bytes.
 */
const char *num_format_size(uint64_t bytes, char out[SIZE_TEXT_MAX]);

/* True, and *ret untouched, when a * b or a + b does not fit. */
static inline bool num_mul_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return true;
	*ret = r;
	return false;
}

static inline bool num_add_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return true;
	*ret = r;
	return false;
}

#endif
