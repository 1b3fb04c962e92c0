/* What peers may send that costs them nothing: streams that they reset, frames that belong to no
 * call, such as PING and SETTINGS, or carry next to nothing of a message; and calls that they open
 * and messages that they begin and let stand. On one connection, and on all of a process together,
 * for whoever may send so much on one opens many. Fed with the bytes of both directions over
 * HTTP/2, in pieces of any size. Pure. For runtime/rpc alone. Source: RFC 9113, sections 5.1, 6
 * and 8.1; docs/decisions/0017-what-a-call-costs.md, 0044-what-stays-unanswered.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/frame_walk.h"
#include "rpc/open_streams.h"
#include "rpc/server_share.h"

/* A bucket of tokens, by the time at which it will be full again if nobody takes any. */
struct rt_frames_bucket {
	_Atomic int64_t full_us;
};

enum rt_frames_kind {
	RT_FRAMES_RESETS,  /* RST_STREAM */
	RT_FRAMES_IDLE,    /* whatever is neither a call nor a fair piece of its message */
	RT_FRAMES_BUCKETS, /* so many kinds come at a rate; the others stay */
	RT_FRAMES_STREAMS = RT_FRAMES_BUCKETS, /* open on a connection */
	RT_FRAMES_UNANSWERED,                  /* memory of what is open on all of an identity's */
	RT_FRAMES_KINDS,                       /* also: nothing too much of */
};

struct rt_frames_buckets {
	struct rt_frames_bucket of[RT_FRAMES_BUCKETS];
};

/* A process's. */
struct rt_frames_common {
	struct rt_frames_buckets buckets;
	struct rt_share unanswered;  /* bytes */
	_Atomic int64_t streams_max; /* of a connection, as its peer was told */
};

struct rt_frames {
	struct rt_frame_walk received, sent;
	struct rt_frames_buckets own;
	struct rt_open_streams streams;
	uint32_t last_id;     /* the highest number of a stream that the peer has opened */
	uint32_t padding;     /* of the DATA frame that is being read */
	bool padding_follows; /* the next byte of it says how much */
	bool answered;        /* something of a call was sent since the peer's last PING */
	enum rt_identity identity;
	struct rt_frames_common *common;
};

/* At the beginning of a connection. All of `common` but streams_max is zeros at first. */
void rt_frames_init(struct rt_frames *frames, struct rt_frames_common *common,
		    enum rt_identity identity);
/* At its end: gives back what its streams took. */
void rt_frames_deinit(struct rt_frames *frames);
/* Of what the peer sends more than it may; then the connection is to be closed, and what it sent
 * last is not to be looked at. Thread: one for each connection, with rt_frames_sent. */
enum rt_frames_kind rt_frames_take(struct rt_frames *frames, const unsigned char *bytes,
				   size_t count, int64_t now_us);
/* What is sent to the peer: it ends streams. */
void rt_frames_sent(struct rt_frames *frames, const unsigned char *bytes, size_t count);
