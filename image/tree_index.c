#include "image/tree_index.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ARENA_BYTES   (64u * 1024 - 64) /* small enough to stay off mmap */
#define FIRST_BUCKETS 1024u

struct tree_arena {
	struct tree_arena *next;
	size_t used, size;
	uint64_t bytes[]; /* for its alignment */
};

void *tree_index_alloc(struct tree_index *index, size_t size)
{
	struct tree_arena *arena = index->arena;
	size_t whole = (size + 7) & ~(size_t)7;
	void *p;

	if (!arena || arena->size - arena->used < whole) {
		size_t room = ARENA_BYTES - sizeof(*arena);

		if (room < whole)
			room = whole;
		arena = mem_alloc(sizeof(*arena) + room);
		arena->next = index->arena;
		arena->used = 0;
		arena->size = room;
		index->arena = arena;
	}
	p = (char *)arena->bytes + arena->used;
	arena->used += whole;
	return p;
}

void tree_index_init(struct tree_index *index)
{
	*index = (struct tree_index){ .n_buckets = FIRST_BUCKETS };
	index->buckets =
		mem_zalloc(index->n_buckets * sizeof(struct tree_dentry *));
	/* without random bytes, names may be chosen to be slow: no more */
	if (getrandom(index->secret, sizeof(index->secret), GRND_NONBLOCK) < 0)
		index->secret[0] = (uintptr_t)index->buckets;
}

void tree_index_release(struct tree_index *index)
{
	while (index->arena) {
		struct tree_arena *next = index->arena->next;

		free(index->arena);
		index->arena = next;
	}
	free(index->buckets);
	*index = (struct tree_index){ 0 };
}

static uint64_t rotate(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-1-3 (Aumasson and Bernstein) over the directory and the name. */
static uint32_t hash_of(const uint64_t key[2], const struct tree_node *dir,
			const char *name, size_t len)
{
	uint64_t v[4], word;

	v[0] = key[0] ^ UINT64_C(0x736f6d6570736575);
	v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d);
	v[2] = key[0] ^ UINT64_C(0x6c7967656e657261);
	v[3] = key[1] ^ UINT64_C(0x7465646279746573);
	sip_word(v, (uintptr_t)dir);
	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&word, name, 8);
		sip_word(v, word);
	}
	word = (uint64_t)len << 56;
	memcpy(&word, name, len);
	sip_word(v, word);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ word >> 32);
}

void tree_key_init(struct tree_key *key, const struct tree_index *index,
		   struct tree_node *dir, const char *name, uint8_t len)
{
	*key = (struct tree_key){ .dir = dir,
				  .name = name,
				  .hash = hash_of(index->secret, dir, name,
						  len),
				  .len = len };
}

static struct tree_dentry **bucket_of(const struct tree_index *index,
				      uint32_t hash)
{
	return &index->buckets[hash & (index->n_buckets - 1)];
}

struct tree_dentry *tree_index_find(const struct tree_index *index,
				    const struct tree_key *key)
{
	struct tree_dentry *d = *bucket_of(index, key->hash);

	for (; d; d = d->hash_next)
		if (d->hash == key->hash && d->dir == key->dir &&
		    d->name_len == key->len &&
		    memcmp(d->name, key->name, key->len) == 0)
			return d;
	return NULL;
}

static void grow(struct tree_index *index)
{
	struct tree_dentry **old = index->buckets;
	size_t n_old = index->n_buckets;

	index->n_buckets *= 4;
	index->buckets =
		mem_zalloc(index->n_buckets * sizeof(struct tree_dentry *));
	for (size_t i = 0; i < n_old; i++) {
		struct tree_dentry *d = old[i], *next;

		for (; d; d = next) {
			struct tree_dentry **head = bucket_of(index, d->hash);

			next = d->hash_next;
			d->hash_next = *head;
			*head = d;
		}
	}
	free(old);
}

void tree_index_insert(struct tree_index *index, const struct tree_key *key,
		       struct tree_node *node)
{
	struct tree_dir *dir = key->dir->dir;
	struct tree_dentry **head, *d;

	if (++index->n_names > 2 * index->n_buckets)
		grow(index);
	d = tree_index_alloc(index, sizeof(*d) + key->len);
	head = bucket_of(index, key->hash);
	*d = (struct tree_dentry){ .hash_next = *head,
				   .dir = key->dir,
				   .node = node,
				   .hash = key->hash,
				   .name_len = key->len };
	memcpy(d->name, key->name, key->len);
	*head = d;
	if (dir->last)
		dir->last->next = d;
	else
		dir->first = d;
	dir->last = d;
	dir->n_names++;
}

void tree_index_remove(struct tree_index *index, struct tree_dentry *dentry)
{
	struct tree_dentry **p = bucket_of(index, dentry->hash);

	while (*p != dentry)
		p = &(*p)->hash_next;
	*p = dentry->hash_next;
	dentry->node = NULL;
	dentry->dir->dir->n_names--;
	index->n_names--;
}
