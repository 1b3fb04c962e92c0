/* daler-history: many clients that post to two replicas at once, and remember all that they asked
 * and were told. For tests/history alone.
 *
 * The driver's thread asks; the client library's thread hears the answers. What both touch is
 * guarded by the record's lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/lock.h"
#include "rt/rpc_client.h"

enum {
	REPLICAS = 2,
	LEDGERS_MAX = 4,
	ACCOUNTS_MAX = 24, /* of one ledger */
	RECENT = 48,       /* holds and originals that are remembered to be named */
	GROUP_MAX = 5,
	BATCH_MAX = 12,
};

enum wish_kind {
	WISH_DIRECT,
	WISH_HOLD,
	WISH_CAPTURE,
	WISH_RELEASE,
	WISH_BALANCING,
	WISH_REVERSAL
};

/* One transfer as it is asked for. */
struct wish {
	struct rt_uuid id;
	struct rt_uuid target_id;
	size_t debit, credit; /* accounts, by number */
	int64_t amount_minor;
	int64_t expires_us; /* 0: never */
	enum wish_kind kind;
	bool keep_open;
};

struct place_account {
	struct rt_uuid id;
	char currency[16];
};

/* The latest transfers of a sort. */
struct recent {
	struct wish wishes[RECENT];
	size_t count; /* ever added */
};

struct place {
	struct rt_uuid ledger_id;
	size_t account_count;
	struct place_account accounts[ACCOUNTS_MAX];
	struct recent holds, originals;
};

struct world {
	size_t place_count;
	struct place places[LEDGERS_MAX];
	uint64_t random_state;
};

enum answer {
	ANSWER_NONE,
	ANSWER_POSTED,
	ANSWER_DECLINED,
	ANSWER_REFUSED, /* nothing was recorded: its hold would have expired already */
	ANSWERS,
};

/* One group: what was asked, and what was said of it first. */
struct entry {
	size_t place;
	size_t count;
	struct wish *wishes;
	enum answer answer;
	uint8_t *outcome; /* packed, with `replayed` off */
	size_t outcome_bytes;
	int64_t sent_us;     /* monotonic: the first time that it was asked */
	int64_t answered_us; /* and answered; 0: never */
	unsigned fresh;      /* answers that did not call themselves a repetition */
	bool expires;        /* it makes a hold that ends by itself */
};

struct record {
	struct rt_lock lock;
	struct world *world;
	struct entry *entries;
	size_t count, capacity;
	uint64_t wrong; /* answers that must not be */
	uint64_t answers, repeated, mismatches, unanswered, calls;
};

/* Uniform in 0 .. bound-1; the driver's thread alone. */
size_t world_pick(struct world *world, size_t bound);
bool world_chance(struct world *world, size_t percent);
/* Reads lines "ledger ID" and "account ID CURRENCY". */
bool world_read(struct world *world, const char *path);
/* A new random group of a random place: at least one wish. Owns: the caller, free. With the
 * record's lock held. */
struct wish *world_wish(struct world *world, size_t *place, size_t *count);
struct entry;
/* Its holds, and what may be reversed, are named by later groups. With the record's lock held. */
void world_posted(struct world *world, const struct entry *entry);

void record_init(struct record *record, struct world *world);
void record_deinit(struct record *record);
/* Returns its number. Owns: takes the wishes. With the lock held. */
size_t record_add(struct record *record, size_t place, struct wish *wishes, size_t count);
/* Says on stderr what must not be, the first times, and counts it. With the lock held. */
void record_wrong(struct record *record, const struct entry *entry, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Compares an outcome with what is known, and keeps the first. `sent_us`: when this attempt was
 * made. With the lock held. */
void record_outcome(struct record *record, size_t number,
		    const Daler__Accounts__V1__Outcome *outcome, int64_t sent_us);
/* Likewise for a group that was refused without a trace. */
void record_refusal(struct record *record, size_t number, const char *reason, bool other_body);
/* Whether a status leaves open what became of the call, or tells that it is to be tried again. */
bool record_is_no_answer(enum rt_code code);
/* Writes a line for each group: ledger, group, size, answer, times. */
bool record_write(const struct record *record, const struct world *world, const char *path);

/* The request for these groups of one place, in the arena: Post for a single one unless `batch`.
 * With `other_body` each asks for something else than it did. */
const ProtobufCMessage *message_of(const struct world *world, const struct record *record,
				   const size_t *numbers, size_t count, bool batch, bool other_body,
				   struct rt_arena *arena);
extern const struct rt_remote message_post, message_post_batch;

struct storm_config {
	struct world *world;
	struct record *record;
	struct rt_channel *channels[REPLICAS];
	size_t clients;
	int64_t pause_us_max; /* of a client between two calls */
};
/* Asks until *stop, and returns when all calls have ended. */
void storm_run(const struct storm_config *config, const _Atomic bool *stop);

/* Repeats every group with its own body, and with another; compares all answers with the record.
 * False: no answer came. */
bool verify_run(const struct storm_config *config);
