/* The streams of a connection that are open, and what gRPC keeps for each until its call is
 * answered. Pure. For frames.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_MESSAGE_PREFIX_BYTES 5

struct rt_open_stream {
	uint32_t id;                /* 0: a free place */
	bool half_closed;           /* the peer sends no more */
	unsigned char prefix_bytes; /* of the message that begins */
	uint32_t message_left;      /* bytes of it that are still to come */
	int64_t head_bytes;         /* what the call and its metadata take */
	int64_t first_bytes;        /* of messages: what a window lets in unasked */
	int64_t message_bytes;      /* what the message that is not complete takes */
	int64_t charged_bytes;      /* what was taken of the process's share */
};

struct rt_open_streams {
	struct rt_open_stream *places; /* a power of 2; an eighth to a half of them taken */
	size_t room, count;
};

void rt_open_streams_deinit(struct rt_open_streams *streams);
/* NULL when it is not open. The pointer is good until one is added or removed. */
struct rt_open_stream *rt_open_streams_find(struct rt_open_streams *streams, uint32_t id);
/* Of an id that is not 0 and not there. */
struct rt_open_stream *rt_open_streams_add(struct rt_open_streams *streams, uint32_t id);
void rt_open_streams_remove(struct rt_open_streams *streams, struct rt_open_stream *stream);

/* A DATA frame came, and then bytes of its content. */
void rt_open_stream_frame(struct rt_open_stream *stream);
void rt_open_stream_content(struct rt_open_stream *stream, const unsigned char *bytes,
			    size_t count);
/* What gRPC keeps for it by now, roughly. */
int64_t rt_open_stream_bytes(const struct rt_open_stream *stream);
