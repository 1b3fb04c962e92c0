/* How many streams peers may reset: on one connection, and on all of a process together, for
 * whoever may reset so many on one opens many. Fed with the bytes that a peer sent over HTTP/2, in
 * pieces of any size. Pure. For runtime/rpc alone. Source: RFC 9113, sections 3.4, 4.1 and 6.4;
 * docs/decisions/0017-what-a-call-costs.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_RESETS_FRAME_HEAD_BYTES 9

/* A bucket of tokens, by the time at which it will be full again if nobody takes any. */
struct rt_resets_bucket {
	_Atomic int64_t full_us;
};

struct rt_resets {
	unsigned char head[RT_RESETS_FRAME_HEAD_BYTES]; /* of the frame that begins */
	size_t head_bytes;
	size_t skip_bytes; /* of what is no frame's head and comes first */
	struct rt_resets_bucket own;
	struct rt_resets_bucket *shared;
};

/* At the beginning of a connection. `shared` is the process's, all zeros at first. */
void rt_resets_init(struct rt_resets *resets, struct rt_resets_bucket *shared);
/* False when the peer resets more than it may: the connection is to be closed, and what it sent
 * last is not to be looked at. Thread: one for each connection. */
bool rt_resets_take(struct rt_resets *resets, const unsigned char *bytes, size_t count,
		    int64_t now_us);
/* Sees that tls_read.c is linked, and makes its metric. Before anything listens. */
void rt_resets_watch(void);
