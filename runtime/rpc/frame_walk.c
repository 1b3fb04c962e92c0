#include "rpc/frame_walk.h"

#define PREFACE_BYTES (sizeof("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") - 1)

void rt_frame_walk_init(struct rt_frame_walk *walk, bool from_client)
{
	*walk = (struct rt_frame_walk){.skip_bytes = from_client ? PREFACE_BYTES : 0};
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void skip(size_t part, const unsigned char **bytes, size_t *count)
{
	*bytes += part;
	*count -= part;
}

/* The first bit of a stream's number is reserved. */
static struct rt_frame frame_of(const unsigned char *head)
{
	return (struct rt_frame){
		.length = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2],
		.type = head[3],
		.flags = head[4],
		.stream = ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 |
			   (uint32_t)head[7] << 8 | head[8]) &
			  INT32_MAX,
	};
}

bool rt_frame_walk_next(struct rt_frame_walk *walk, const unsigned char **bytes, size_t *count,
			struct rt_frame_piece *piece)
{
	size_t before = lesser(*count, walk->skip_bytes);
	walk->skip_bytes -= before;
	skip(before, bytes, count);
	if (walk->left_bytes > 0 && *count > 0) {
		*piece = (struct rt_frame_piece){.bytes = *bytes,
						 .count = lesser(*count, walk->left_bytes)};
		walk->left_bytes -= piece->count;
		skip(piece->count, bytes, count);
		return true;
	}
	while (*count > 0 && walk->head_bytes < sizeof(walk->head)) {
		walk->head[walk->head_bytes++] = **bytes;
		skip(1, bytes, count);
	}
	if (walk->head_bytes < sizeof(walk->head))
		return false;
	walk->head_bytes = 0;
	walk->frame = frame_of(walk->head);
	walk->left_bytes = walk->frame.length;
	*piece = (struct rt_frame_piece){.begins = true};
	return true;
}
