#include "domain/open_holds.h"

#include <string.h>

#include "domain/uuid_table.h"
#include "rt/assert.h"

#define PLACES_MIN 16

bool open_holds_init(struct open_holds *holds, struct rt_arena *arena, size_t most)
{
	*holds = (struct open_holds){.arena = arena, .mask = PLACES_MIN - 1, .most = most};
	holds->places = rt_arena_array(arena, PLACES_MIN, sizeof(holds->places[0]));
	return holds->places != NULL;
}

/* The hold's place, or the free one where it belongs. */
static struct open_hold *place_of(const struct open_holds *holds, const struct rt_uuid *id)
{
	size_t place = uuid_table_hash(id) & holds->mask;
	/* At least half of the places are free, so that this ends. */
	while (holds->places[place].amount_minor != 0 &&
	       !rt_uuid_equal(&holds->places[place].id, id))
		place = (place + 1) & holds->mask;
	return &holds->places[place];
}

struct open_hold *open_holds_find(const struct open_holds *holds, const struct rt_uuid *id)
{
	struct open_hold *place = place_of(holds, id);
	return place->amount_minor == 0 ? NULL : place;
}

static bool grow(struct open_holds *holds)
{
	struct open_hold *before = holds->places;
	size_t count = holds->mask + 1;
	struct open_hold *places = rt_arena_array(holds->arena, count * 2, sizeof(places[0]));
	if (places == NULL)
		return false;
	holds->places = places;
	holds->mask = count * 2 - 1;
	for (size_t i = 0; i < count; i++)
		if (before[i].amount_minor != 0)
			*place_of(holds, &before[i].id) = before[i];
	return true;
}

bool open_holds_is_full(const struct open_holds *holds)
{
	return holds->count == holds->most;
}

bool open_holds_add(struct open_holds *holds, const struct rt_uuid *id, int64_t amount_minor,
		    bool is_debit)
{
	RT_ASSERT(amount_minor > 0);
	RT_ASSERT(holds->count < holds->most);
	if ((holds->count + 1) * 2 > holds->mask + 1 && !grow(holds))
		return false;
	struct open_hold *place = place_of(holds, id);
	RT_ASSERT(place->amount_minor == 0);
	*place = (struct open_hold){.id = *id, .amount_minor = amount_minor, .is_debit = is_debit};
	holds->count++;
	return true;
}

/* Those behind it that would not be found any more over the gap move up. Source: Knuth, The Art of
 * Computer Programming, volume 3, section 6.4, algorithm R. */
void open_holds_remove(struct open_holds *holds, struct open_hold *hold)
{
	size_t gap = (size_t)(hold - holds->places);
	RT_ASSERT(gap <= holds->mask);
	for (size_t next = (gap + 1) & holds->mask; holds->places[next].amount_minor != 0;
	     next = (next + 1) & holds->mask) {
		size_t home = uuid_table_hash(&holds->places[next].id) & holds->mask;
		if (((next - home) & holds->mask) < ((next - gap) & holds->mask))
			continue;
		holds->places[gap] = holds->places[next];
		gap = next;
	}
	holds->places[gap] = (struct open_hold){0};
	holds->count--;
}

void open_holds_clear(struct open_holds *holds)
{
	memset(holds->places, 0, (holds->mask + 1) * sizeof(holds->places[0]));
	holds->count = 0;
}
