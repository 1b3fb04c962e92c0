/* One bounded piece of memory a request: allocate many times, free once. Any layer may include
 * this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rt_arena_block;

/* Zeroed memory from malloc'd blocks, up to `limit_bytes` in all. With RT_ARENA_MALLOC=1 in the
 * environment, or in sanitizer builds, each object is malloc'd by itself. After an allocation did
 * not fit, `overflowed` stays true. */
struct rt_arena {
	struct rt_arena_block *blocks;
	size_t used_bytes;
	size_t limit_bytes;
	bool overflowed;
};

/* Owns: nothing until the first allocation. Thread: one at a time. */
void rt_arena_init(struct rt_arena *arena, size_t limit_bytes);
/* Frees everything; the arena may be used again afterwards, as after init. */
void rt_arena_deinit(struct rt_arena *arena);

/* Returns zeroed memory aligned for any type, or NULL past the limit. size 0 returns a valid
 * pointer. */
void *rt_arena_alloc(struct rt_arena *arena, size_t size_bytes);
/* The same for an array; NULL also when count * size overflows. */
void *rt_arena_array(struct rt_arena *arena, size_t count, size_t size_bytes);
/* Copies a string; NULL past the limit. */
char *rt_arena_strdup(struct rt_arena *arena, const char *text);
/* Copies `length` bytes and adds a NUL; NULL past the limit. */
char *rt_arena_memdup(struct rt_arena *arena, const void *bytes, size_t length);
char *rt_arena_printf(struct rt_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
