/* What peers may send that costs them nothing: streams that they reset, and frames that belong to
 * no call, such as PING and SETTINGS; on one connection, and on all of a process together, for
 * whoever may send so much on one opens many. Fed with the bytes that a peer sent over HTTP/2, in
 * pieces of any size. Pure. For runtime/rpc alone. Source: RFC 9113, sections 3.4, 4.1 and 6;
 * docs/decisions/0017-what-a-call-costs.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_FRAME_HEAD_BYTES 9

/* A bucket of tokens, by the time at which it will be full again if nobody takes any. */
struct rt_frames_bucket {
	_Atomic int64_t full_us;
};

enum rt_frames_kind {
	RT_FRAMES_RESETS, /* RST_STREAM */
	RT_FRAMES_IDLE,   /* whatever is neither a call nor its message */
	RT_FRAMES_KINDS,  /* also: nothing too much of */
};

struct rt_frames_buckets {
	struct rt_frames_bucket of[RT_FRAMES_KINDS];
};

struct rt_frames {
	unsigned char head[RT_FRAME_HEAD_BYTES]; /* of the frame that begins */
	size_t head_bytes;
	size_t skip_bytes; /* of what is no frame's head and comes first */
	struct rt_frames_buckets own;
	struct rt_frames_buckets *shared;
};

/* At the beginning of a connection. `shared` is the process's, all zeros at first. */
void rt_frames_init(struct rt_frames *frames, struct rt_frames_buckets *shared);
/* Of what the peer sends more than it may; then the connection is to be closed, and what it sent
 * last is not to be looked at. Thread: one for each connection. */
enum rt_frames_kind rt_frames_take(struct rt_frames *frames, const unsigned char *bytes,
				   size_t count, int64_t now_us);
/* Sees that tls_read.c is linked, and makes its metrics. Before anything listens. */
void rt_frames_watch(void);
