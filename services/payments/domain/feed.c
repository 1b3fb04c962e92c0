#include "domain/feed.h"

int feed_place_compare(const struct page_place *left, const struct page_place *right)
{
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	int by_id = rt_uuid_compare(&left->id, &right->id);

	if (by_id != 0)
		return by_id < 0 ? -1 : 1;
	if (left->version != right->version)
		return left->version < right->version ? -1 : 1;
	return 0;
}

struct page_place feed_place_first(void)
{
	return (struct page_place){.number = -1};
}

struct page_place feed_place_at_horizon(const struct page_place *place, int64_t horizon)
{
	/* No payment has the nil id: whatever is written at the horizon comes after it. */
	struct page_place end = {.number = horizon};

	return feed_place_compare(&end, place) > 0 ? end : *place;
}
