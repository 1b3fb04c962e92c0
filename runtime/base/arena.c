#include "rt/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"

#define ALIGNMENT         alignof(max_align_t)
#define FIRST_BLOCK_BYTES ((size_t)4096)

#if defined(__SANITIZE_ADDRESS__)
#define MALLOC_MODE_BUILT_IN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MALLOC_MODE_BUILT_IN true
#endif
#endif
#ifndef MALLOC_MODE_BUILT_IN
#define MALLOC_MODE_BUILT_IN false
#endif

/* The newest block comes first, and is the only one that is allocated from. In malloc mode each
 * object is a block of its exact size, so that a sanitizer sees its edges. */
struct rt_arena_block {
	struct rt_arena_block *next;
	size_t capacity_bytes;
	size_t taken_bytes;
	alignas(max_align_t) unsigned char bytes[];
};

static bool malloc_mode(void)
{
	static int mode = -1; /* the same answer from any thread, so that a race is harmless */
	int known = __atomic_load_n(&mode, __ATOMIC_RELAXED);
	if (known < 0) {
		const char *asked = getenv("RT_ARENA_MALLOC");
		known = MALLOC_MODE_BUILT_IN || (asked != NULL && strcmp(asked, "1") == 0);
		__atomic_store_n(&mode, known, __ATOMIC_RELAXED);
	}
	return known != 0;
}

void rt_arena_init(struct rt_arena *arena, size_t limit_bytes)
{
	*arena = (struct rt_arena){.limit_bytes = limit_bytes};
}

void rt_arena_deinit(struct rt_arena *arena)
{
	struct rt_arena_block *block = arena->blocks;
	while (block != NULL) {
		struct rt_arena_block *next = block->next;
		free(block);
		block = next;
	}
	rt_arena_init(arena, arena->limit_bytes);
}

static void *overflow(struct rt_arena *arena)
{
	arena->overflowed = true;
	return NULL;
}

static struct rt_arena_block *add_block(struct rt_arena *arena, size_t capacity_bytes)
{
	struct rt_arena_block *block = malloc(sizeof(*block) + capacity_bytes);
	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	block->capacity_bytes = capacity_bytes;
	block->taken_bytes = 0;
	arena->blocks = block;
	return block;
}

/* Blocks double, but are no larger than what the limit still lets in. */
static size_t next_capacity(const struct rt_arena *arena, size_t needed_bytes)
{
	size_t capacity_bytes = FIRST_BLOCK_BYTES - sizeof(struct rt_arena_block);
	if (arena->blocks != NULL)
		capacity_bytes = arena->blocks->capacity_bytes * 2;
	size_t left_bytes = arena->limit_bytes - arena->used_bytes;
	if (capacity_bytes > left_bytes)
		capacity_bytes = left_bytes;
	return capacity_bytes > needed_bytes ? capacity_bytes : needed_bytes;
}

void *rt_arena_alloc(struct rt_arena *arena, size_t size_bytes)
{
	if (size_bytes > SIZE_MAX / 4)
		return overflow(arena);
	size_t rounded_bytes = (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	RT_ASSERT(arena->used_bytes <= arena->limit_bytes);
	if (rounded_bytes > arena->limit_bytes - arena->used_bytes)
		return overflow(arena);

	struct rt_arena_block *block = arena->blocks;
	if (malloc_mode())
		block = add_block(arena, size_bytes);
	else if (block == NULL || block->capacity_bytes - block->taken_bytes < rounded_bytes)
		block = add_block(arena, next_capacity(arena, rounded_bytes));
	if (block == NULL)
		return overflow(arena);

	void *bytes = block->bytes + block->taken_bytes;
	block->taken_bytes += malloc_mode() ? size_bytes : rounded_bytes;
	arena->used_bytes += rounded_bytes;
	return memset(bytes, 0, size_bytes);
}

void *rt_arena_array(struct rt_arena *arena, size_t count, size_t size_bytes)
{
	size_t total_bytes;
	if (__builtin_mul_overflow(count, size_bytes, &total_bytes))
		return overflow(arena);
	return rt_arena_alloc(arena, total_bytes);
}

char *rt_arena_strdup(struct rt_arena *arena, const char *text)
{
	return rt_arena_memdup(arena, text, strlen(text));
}

char *rt_arena_memdup(struct rt_arena *arena, const void *bytes, size_t length)
{
	if (length == SIZE_MAX)
		return overflow(arena);
	char *copy = rt_arena_alloc(arena, length + 1);
	if (copy != NULL && length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *rt_arena_printf(struct rt_arena *arena, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = length < 0 ? overflow(arena) : rt_arena_alloc(arena, (size_t)length + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}
