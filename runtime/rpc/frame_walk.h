/* HTTP/2 frames in bytes that come in pieces of any size. Pure. For frames.c. Source: RFC 9113,
 * sections 3.4 and 4.1. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_FRAME_HEAD_BYTES 9

enum {
	RT_FRAME_DATA = 0,
	RT_FRAME_HEADERS = 1,
	RT_FRAME_RST_STREAM = 3,
	RT_FRAME_PING = 6,
	RT_FRAME_CONTINUATION = 9,
};
#define RT_FRAME_END_STREAM 0x1
#define RT_FRAME_PADDED     0x8

struct rt_frame {
	uint32_t length, stream;
	unsigned char type, flags;
};

struct rt_frame_walk {
	unsigned char head[RT_FRAME_HEAD_BYTES]; /* of the frame that begins */
	size_t head_bytes;
	size_t skip_bytes; /* of what comes before the first frame */
	size_t left_bytes; /* of the payload of `frame` */
	struct rt_frame frame;
};

/* Of a frame: its head alone, or bytes of its payload. */
struct rt_frame_piece {
	bool begins;
	const unsigned char *bytes;
	size_t count;
};

void rt_frame_walk_init(struct rt_frame_walk *walk, bool from_client);
/* The next piece; its frame is walk->frame. False when no bytes are left. */
bool rt_frame_walk_next(struct rt_frame_walk *walk, const unsigned char **bytes, size_t *count,
			struct rt_frame_piece *piece);
