/* A person's limits as pure decisions: what counts now, what a raise has to wait for, and whether a
 * payment fits. Amounts are minor units, times microseconds of the wall clock. Pure; any layer of
 * payments may include this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/payment.h"

/* The numbers are in the database and on the wire. */
enum limit_measure { LIMIT_DEPOSITS = 1, LIMIT_LOSSES = 2 };
#define LIMIT_MEASURE_MAX 2
enum limit_period { LIMIT_DAY = 1, LIMIT_WEEK = 2, LIMIT_MONTH = 3 };
#define LIMIT_PERIOD_MAX      3

/* No limit: higher than any. */
#define LIMIT_NONE            INT64_MAX
/* Times: for ever, and "it is not so". */
#define LIMIT_FOR_EVER        INT64_MAX
#define LIMIT_NOT             INT64_MIN

#define LIMIT_PERSON_BYTES    65 /* 64 visible ASCII characters */

/* Reasons of declines. */
#define LIMIT_EXCEEDED_REASON "LIMIT_EXCEEDED"
#define SELF_EXCLUDED_REASON  "SELF_EXCLUDED"
#define TIMED_OUT_REASON      "TIMED_OUT"
/* Whether a decline has a refusal that says more. */
bool limit_reason(const char *reason);

/* One limit as it is on record. */
struct person_limit {
	int64_t limit_minor;   /* LIMIT_NONE: none */
	int64_t pending_minor; /* a higher one, from pending_us on */
	int64_t pending_us;    /* LIMIT_NOT: nothing waits */
};

/* What counts at a moment. */
int64_t limit_effective(const struct person_limit *limit, int64_t now_us);
/* What waits at a moment: false when nothing does. */
bool limit_waits(const struct person_limit *limit, int64_t now_us);
/* Sets a limit: one that is not higher than what counts now counts at once, and what waited is
 * gone; a higher one counts after the cooling-off time. A raise that is lowered while it waits
 * keeps its time; one that is raised further waits anew. Returns whether anything changed. */
bool limit_set(struct person_limit *limit, int64_t wanted_minor, int64_t now_us,
	       int64_t cooling_off_us);

/* One period that runs. */
struct limit_counter {
	int64_t limit_minor; /* in effect; LIMIT_NONE: none */
	int64_t used_minor;  /* losses: below 0 when more was won */
};

/* Never below 0; LIMIT_NONE without a limit. */
int64_t limit_left(const struct limit_counter *counter);

/* Why a payment is refused. */
struct limit_refusal {
	int measure; /* enum limit_measure; 0: a restriction, not a limit */
	int period;  /* enum limit_period */
	int64_t limit_minor;
	int64_t left_minor;
	int64_t until_us; /* the end of the period, or of the restriction */
};

/* What one person has used of one measure in one currency, in all periods: [LIMIT_DAY] and so on.
 */
struct limit_purse {
	struct limit_counter periods[LIMIT_PERIOD_MAX + 1];
};

/* Takes the amount from all periods, or from none: then false, and measure apart *refusal says
 * which limit would be passed: the one with the least left; of equals, the longest period's. */
bool limit_take(struct limit_purse *purse, int64_t amount_minor, struct limit_refusal *refusal);

/* What keeps a person from playing. */
struct limit_restrictions {
	int64_t excluded_until_us;  /* LIMIT_NOT: not; it stands after its time too */
	int64_t timed_out_until_us; /* LIMIT_NOT: not */
};

/* The reason of the decline, and until when; NULL: the person may play. */
const char *limit_restricted(const struct limit_restrictions *restrictions, int64_t now_us,
			     int64_t *until_us);
/* Whether a self-exclusion may be lifted: there is one, and its time has passed. */
bool limit_may_lift(const struct limit_restrictions *restrictions, int64_t now_us);

/* What a kind of payment has to do with limits. The numbers are in the database. */
enum limit_effect {
	LIMIT_NO_EFFECT = 0,
	LIMIT_TAKES = 1,    /* counts when it is recorded, given back if it fails; may be refused */
	LIMIT_CORRECTS = 2, /* counts once it has succeeded; never refused */
};

struct limit_rule {
	enum limit_effect effect;
	enum limit_measure measure;
	bool less; /* makes less of what is used */
};

struct limit_rule limit_rule_of(enum payment_kind kind);

/* What the end of a payment does to what it has claimed. */
enum limit_end { LIMIT_STAYS, LIMIT_GIVEN_BACK, LIMIT_CORRECTED };
enum limit_end limit_end_of(enum payment_kind kind, enum payment_state state);
