/* Work that goes through a completion queue from one thread to another. gRPC orders the two; a
 * thread sanitizer, which does not see into the library, is told so here. For runtime/rpc alone. */
#pragma once

#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* Before gRPC is given the tag. */
static inline void rt_handoff_give(void *tag)
{
	__tsan_release(tag);
}

/* When the queue has given the tag back. */
static inline void rt_handoff_take(void *tag)
{
	__tsan_acquire(tag);
}
#else
static inline void rt_handoff_give(void *tag)
{
	(void)tag;
}

static inline void rt_handoff_take(void *tag)
{
	(void)tag;
}
#endif
