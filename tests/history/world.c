/* Random groups that collide: a few accounts, and captures, releases and reversals that name what
 * is recent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define AMOUNT_MINOR_MAX 400
#define EXPIRES_MS_MAX   3000
#define UNLIMITED        2

/* Source: splitmix64. */
size_t world_pick(struct world *world, size_t bound)
{
	uint64_t value = world->random_state += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((value ^ (value >> 31)) % bound);
}

bool world_chance(struct world *world, size_t percent)
{
	return world_pick(world, 100) < percent;
}

static bool take_line(struct world *world, const char *line)
{
	char id[RT_UUID_TEXT_BYTES], currency[16];
	if (sscanf(line, "ledger %36s", id) == 1) {
		if (world->place_count == LEDGERS_MAX)
			return false;
		return rt_uuid_parse(id, &world->places[world->place_count++].ledger_id);
	}
	if (world->place_count == 0 || sscanf(line, "account %36s %15s", id, currency) != 2)
		return false;
	struct place *place = &world->places[world->place_count - 1];
	if (place->account_count == ACCOUNTS_MAX)
		return false;
	struct place_account *account = &place->accounts[place->account_count++];
	memcpy(account->currency, currency, sizeof(account->currency));
	return rt_uuid_parse(id, &account->id);
}

bool world_read(struct world *world, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[128];
	bool good = file != NULL;
	while (good && fgets(line, sizeof(line), file) != NULL)
		good = take_line(world, line);
	if (file != NULL)
		(void)fclose(file);
	return good && world->place_count > 0;
}

static void recent_add(struct recent *recent, const struct wish *wish)
{
	recent->wishes[recent->count++ % RECENT] = *wish;
}

static const struct wish *recent_pick(struct world *world, const struct recent *recent)
{
	size_t known = recent->count < RECENT ? recent->count : RECENT;
	return known == 0 ? NULL : &recent->wishes[world_pick(world, known)];
}

static int64_t random_amount(struct world *world)
{
	return 1 + (int64_t)world_pick(world, world_chance(world, 90) ? AMOUNT_MINOR_MAX / 8
								      : AMOUNT_MINOR_MAX);
}

/* The first accounts, which have no limits, are there in every other transfer, so that there is
 * money to move. */
static size_t choose_account(struct world *world, const struct place *place)
{
	return world_chance(world, 30) ? world_pick(world, UNLIMITED)
				       : world_pick(world, place->account_count);
}

/* Between accounts of one currency, but seldom. */
static void choose_accounts(struct world *world, const struct place *place, struct wish *wish)
{
	do {
		wish->debit = choose_account(world, place);
		wish->credit = choose_account(world, place);
	} while (wish->debit == wish->credit ||
		 (strcmp(place->accounts[wish->debit].currency,
			 place->accounts[wish->credit].currency) != 0 &&
		  world_chance(world, 95)));
}

static void make_hold(struct world *world, struct wish *wish)
{
	wish->kind = WISH_HOLD;
	if (world_chance(world, 50))
		wish->expires_us =
			rt_clock_wall_us() +
			(100 + (int64_t)world_pick(world, EXPIRES_MS_MAX)) * RT_US_PER_MS;
}

static void end_hold(struct world *world, struct wish *wish, const struct wish *hold)
{
	wish->debit = hold->debit;
	wish->credit = hold->credit;
	wish->target_id = hold->id;
	wish->kind = world_chance(world, 70) ? WISH_CAPTURE : WISH_RELEASE;
	if (wish->kind == WISH_RELEASE) {
		wish->amount_minor = 0;
		return;
	}
	wish->keep_open = world_chance(world, 50);
	wish->amount_minor = world_chance(world, 30)
				     ? hold->amount_minor
				     : 1 + (int64_t)world_pick(world, (size_t)hold->amount_minor);
}

static void reverse(struct world *world, struct wish *wish, const struct wish *original)
{
	wish->debit = original->credit;
	wish->credit = original->debit;
	wish->target_id = original->id;
	wish->kind = WISH_REVERSAL;
	wish->amount_minor = 1 + (int64_t)world_pick(world, (size_t)original->amount_minor);
}

static struct wish make_wish(struct world *world, const struct place *place)
{
	struct wish wish = {.id = rt_uuid_v7(), .amount_minor = random_amount(world)};
	size_t dice = world_pick(world, 100);
	const struct wish *hold = dice < 30 ? recent_pick(world, &place->holds) : NULL;
	const struct wish *original = dice >= 90 ? recent_pick(world, &place->originals) : NULL;
	choose_accounts(world, place, &wish);
	if (hold != NULL)
		end_hold(world, &wish, hold);
	else if (original != NULL)
		reverse(world, &wish, original);
	else if (dice < 50)
		make_hold(world, &wish);
	else
		wish.kind = dice < 57 ? WISH_BALANCING : WISH_DIRECT;
	return wish;
}

static void remember(struct place *place, const struct wish *wish)
{
	if (wish->kind == WISH_HOLD)
		recent_add(&place->holds, wish);
	else if (wish->kind != WISH_RELEASE && wish->kind != WISH_REVERSAL)
		recent_add(&place->originals, wish);
}

struct wish *world_wish(struct world *world, size_t *place, size_t *count)
{
	/* Most of the load on one ledger. */
	*place = world_chance(world, 70) ? 0 : world_pick(world, world->place_count);
	*count = world_chance(world, 65) ? 1 : 1 + world_pick(world, GROUP_MAX);
	struct wish *wishes = calloc(*count, sizeof(*wishes));
	RT_ASSERT(wishes != NULL);
	for (size_t i = 0; i < *count; i++) {
		wishes[i] = make_wish(world, &world->places[*place]);
		/* Some are named before anybody knows what became of them, in the very same group
		 * too. */
		if (world_chance(world, 15))
			remember(&world->places[*place], &wishes[i]);
	}
	return wishes;
}

void world_posted(struct world *world, const struct entry *entry)
{
	for (size_t i = 0; i < entry->count; i++)
		remember(&world->places[entry->place], &entry->wishes[i]);
}
