/* The decisions about limits: tables of cases, and a person's life at random against a naive
 * reference that keeps every payment and adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/limits.h"

#define DAY_US INT64_C(86400000000)
#define NOTHING                                                                                    \
	{                                                                                          \
		LIMIT_NONE, 0, LIMIT_NOT                                                           \
	}

/* ---- setting ---- */

struct set_case {
	const char *name;
	struct person_limit before;
	int64_t wanted;
	int64_t now_us;
	struct person_limit after;
	bool changed;
};

#define COOLING_OFF 100
static const struct set_case set_cases[] = {
	{"the first counts at once", NOTHING, 50, 10, {50, 0, LIMIT_NOT}, true},
	{"none where there was none", NOTHING, LIMIT_NONE, 10, NOTHING, false},
	{"lower counts at once", {50, 0, LIMIT_NOT}, 20, 10, {20, 0, LIMIT_NOT}, true},
	{"nothing at all may be the limit", {50, 0, LIMIT_NOT}, 0, 10, {0, 0, LIMIT_NOT}, true},
	{"the same is no change", {50, 0, LIMIT_NOT}, 50, 10, {50, 0, LIMIT_NOT}, false},
	{"higher waits", {50, 0, LIMIT_NOT}, 80, 10, {50, 80, 110}, true},
	{"none is the highest, and waits",
	 {50, 0, LIMIT_NOT},
	 LIMIT_NONE,
	 10,
	 {50, LIMIT_NONE, 110},
	 true},
	{"repeated while it waits keeps its time", {50, 80, 110}, 80, 60, {50, 80, 110}, false},
	{"lowered while it waits keeps its time", {50, 80, 110}, 70, 60, {50, 70, 110}, true},
	{"raised further waits anew", {50, 80, 110}, 90, 60, {50, 90, 160}, true},
	{"the old one takes the raise back", {50, 80, 110}, 50, 60, {50, 0, LIMIT_NOT}, true},
	{"lower takes the raise back too", {50, 80, 110}, 30, 60, {30, 0, LIMIT_NOT}, true},
	{"a raise that counts is what is compared with",
	 {50, 80, 110},
	 70,
	 110,
	 {70, 0, LIMIT_NOT},
	 true},
	{"and what is raised from", {50, 80, 110}, 90, 120, {80, 90, 220}, true},
	{"one microsecond before, it does not count", {50, 80, 110}, 70, 109, {50, 70, 110}, true},
};

static void setting(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(set_cases) / sizeof(set_cases[0]); i++) {
		const struct set_case *one = &set_cases[i];
		struct person_limit limit = one->before;
		bool changed = limit_set(&limit, one->wanted, one->now_us, COOLING_OFF);

		if (changed != one->changed || limit.limit_minor != one->after.limit_minor ||
		    limit.pending_us != one->after.pending_us ||
		    (limit.pending_us != LIMIT_NOT &&
		     limit.pending_minor != one->after.pending_minor))
			fail_msg("%s: %lld, %lld at %lld", one->name, (long long)limit.limit_minor,
				 (long long)limit.pending_minor, (long long)limit.pending_us);
	}
}

static void effective(void **state)
{
	const struct person_limit limit = {50, 80, 110};
	const struct person_limit to_none = {50, LIMIT_NONE, 110};

	(void)state;
	assert_int_equal(limit_effective(&limit, 109), 50);
	assert_int_equal(limit_effective(&limit, 110), 80);
	assert_int_equal(limit_effective(&to_none, 110), LIMIT_NONE);
	assert_true(limit_waits(&limit, 109));
	assert_false(limit_waits(&limit, 110));
}

/* ---- taking ---- */

struct take_case {
	const char *name;
	struct limit_counter day, week, month;
	int64_t amount;
	int refused; /* the period that is named; 0: it fits */
	int64_t left;
};

#define NO_LIMIT                                                                                   \
	{                                                                                          \
		LIMIT_NONE, 0                                                                      \
	}
static const struct take_case take_cases[] = {
	{"no limits", NO_LIMIT, NO_LIMIT, NO_LIMIT, INT64_MAX, 0, 0},
	{"exactly what is left", {100, 40}, NO_LIMIT, NO_LIMIT, 60, 0, 0},
	{"one more", {100, 40}, NO_LIMIT, NO_LIMIT, 61, LIMIT_DAY, 60},
	{"nothing is left", {100, 100}, NO_LIMIT, NO_LIMIT, 1, LIMIT_DAY, 0},
	{"lowered below what is used", {100, 300}, NO_LIMIT, NO_LIMIT, 1, LIMIT_DAY, 0},
	{"a limit of nothing", {0, 0}, NO_LIMIT, NO_LIMIT, 1, LIMIT_DAY, 0},
	{"the week's only", {100, 0}, {100, 50}, {1000, 50}, 60, LIMIT_WEEK, 50},
	{"of several the one that leaves least",
	 {100, 50},
	 {100, 60},
	 {100, 55},
	 60,
	 LIMIT_WEEK,
	 40},
	{"of equals the longest", {100, 50}, {100, 50}, {200, 150}, 60, LIMIT_MONTH, 50},
	{"more won than lost", {100, -50}, NO_LIMIT, NO_LIMIT, 150, 0, 0},
	{"and one more", {100, -50}, NO_LIMIT, NO_LIMIT, 151, LIMIT_DAY, 150},
	{"won without a limit", {LIMIT_NONE, -50}, {10, 0}, NO_LIMIT, 10, 0, 0},
	{"at the end of the numbers",
	 {LIMIT_NONE, INT64_MAX - 5},
	 NO_LIMIT,
	 NO_LIMIT,
	 6,
	 LIMIT_DAY,
	 5},
	{"at the other end", {INT64_MAX - 1, INT64_MIN}, NO_LIMIT, NO_LIMIT, INT64_MAX, 0, 0},
};

static void taking(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(take_cases) / sizeof(take_cases[0]); i++) {
		const struct take_case *one = &take_cases[i];
		struct limit_purse purse = {{{0, 0}, one->day, one->week, one->month}};
		struct limit_purse before = purse;
		struct limit_refusal refusal = {.measure = 0};
		bool fits = limit_take(&purse, one->amount, &refusal);

		if (fits != (one->refused == 0) ||
		    (!fits && (refusal.period != one->refused || refusal.left_minor != one->left)))
			fail_msg("%s: %d, period %d leaves %lld", one->name, fits, refusal.period,
				 (long long)refusal.left_minor);
		for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
			assert_int_equal(purse.periods[period].used_minor,
					 before.periods[period].used_minor +
						 (fits ? one->amount : 0));
		if (!fits)
			assert_int_equal(refusal.limit_minor,
					 before.periods[refusal.period].limit_minor);
	}
}

/* ---- restrictions ---- */

static void restrictions(void **state)
{
	const struct {
		struct limit_restrictions restrictions;
		int64_t now_us;
		const char *reason;
		int64_t until_us;
		bool may_lift;
	} cases[] = {
		{{LIMIT_NOT, LIMIT_NOT}, 10, NULL, 0, false},
		{{LIMIT_NOT, 20}, 19, TIMED_OUT_REASON, 20, false},
		{{LIMIT_NOT, 20}, 20, NULL, 0, false},
		{{20, LIMIT_NOT}, 19, SELF_EXCLUDED_REASON, 20, false},
		{{20, LIMIT_NOT}, 20, SELF_EXCLUDED_REASON, 20, true},
		{{20, LIMIT_NOT}, 900, SELF_EXCLUDED_REASON, 20, true},
		{{20, 30}, 10, SELF_EXCLUDED_REASON, 20, false},
		{{LIMIT_FOR_EVER, LIMIT_NOT},
		 INT64_MAX - 1,
		 SELF_EXCLUDED_REASON,
		 LIMIT_FOR_EVER,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t until_us = 0;
		const char *reason =
			limit_restricted(&cases[i].restrictions, cases[i].now_us, &until_us);

		assert_true((reason == NULL) == (cases[i].reason == NULL));
		if (reason != NULL) {
			assert_string_equal(reason, cases[i].reason);
			assert_true(limit_reason(reason));
		}
		assert_int_equal(until_us, cases[i].until_us);
		assert_int_equal(limit_may_lift(&cases[i].restrictions, cases[i].now_us),
				 cases[i].may_lift);
	}
	assert_false(limit_reason("INSUFFICIENT_FUNDS"));
	assert_false(limit_reason(""));
}

/* ---- which payments count ---- */

static const struct {
	enum payment_kind kind;
	enum limit_effect effect;
	enum limit_measure measure;
	bool less;
} rules[] = {
	{PAYMENT_DEPOSIT, LIMIT_TAKES, LIMIT_DEPOSITS, false},
	{PAYMENT_WITHDRAWAL, LIMIT_NO_EFFECT, 0, false},
	{PAYMENT_TRANSFER, LIMIT_NO_EFFECT, 0, false},
	{PAYMENT_REMOTE_TRANSFER, LIMIT_NO_EFFECT, 0, false},
	{PAYMENT_REFUND, LIMIT_NO_EFFECT, 0, false},
	{PAYMENT_WAGER, LIMIT_TAKES, LIMIT_LOSSES, false},
	{PAYMENT_SETTLE, LIMIT_CORRECTS, LIMIT_LOSSES, true},
	{PAYMENT_WAGER_ROLLBACK, LIMIT_CORRECTS, LIMIT_LOSSES, true},
	{PAYMENT_SETTLE_ROLLBACK, LIMIT_CORRECTS, LIMIT_LOSSES, false},
};

static enum limit_end expected_end(enum limit_effect effect, enum payment_state at)
{
	if (effect == LIMIT_TAKES &&
	    (at == PAYMENT_DECLINED || at == PAYMENT_CANCELED || at == PAYMENT_COMPENSATED))
		return LIMIT_GIVEN_BACK;
	return effect == LIMIT_CORRECTS && at == PAYMENT_SUCCEEDED ? LIMIT_CORRECTED : LIMIT_STAYS;
}

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(sizeof(rules) / sizeof(rules[0]), PAYMENT_KIND_MAX);
	for (size_t i = 0; i < PAYMENT_KIND_MAX; i++) {
		struct limit_rule rule = limit_rule_of(rules[i].kind);

		assert_int_equal(rule.effect, rules[i].effect);
		assert_int_equal(rule.measure, rules[i].measure);
		assert_int_equal(rule.less, rules[i].less);
		for (int at = 1; at <= PAYMENT_STATE_MAX; at++) {
			enum limit_end end = limit_end_of(rules[i].kind, (enum payment_state)at);

			assert_int_equal(end, expected_end(rule.effect, (enum payment_state)at));
			/* What goes on, or needs a person, keeps what it has taken. */
			if (payment_state_open((enum payment_state)at) ||
			    payment_state_class((enum payment_state)at) == PAYMENT_CLASS_REVIEW)
				assert_int_equal(end, LIMIT_STAYS);
		}
	}
}

/* ---- a life at random ---- */

#define PAYMENTS_MAX 200
#define REQUESTS_MAX 200

/* The reference keeps all that ever happened and never a running total. Its months have 28 days. */
struct payment_then {
	int64_t at_us;
	int64_t amount;
	bool failed;
};
struct request_then {
	int64_t at_us;
	int64_t wanted;
	int64_t counts_us;
};
struct life {
	struct payment_then payments[PAYMENTS_MAX];
	size_t payment_count;
	struct request_then requests[LIMIT_PERIOD_MAX + 1][REQUESTS_MAX];
	size_t request_counts[LIMIT_PERIOD_MAX + 1];
	/* What is tested. */
	struct person_limit limits[LIMIT_PERIOD_MAX + 1];
	int64_t used[LIMIT_PERIOD_MAX + 1];
	int64_t period_of[LIMIT_PERIOD_MAX + 1];
	int64_t now_us;
	uint32_t random;
};

static const int64_t period_days[LIMIT_PERIOD_MAX + 1] = {1, 1, 7, 28};

static uint32_t draw(struct life *life, uint32_t bound)
{
	life->random = life->random * 1664525U + 1013904223U;
	return (life->random >> 8) % bound;
}

static int64_t number_of(int period, int64_t at_us)
{
	return at_us / (period_days[period] * DAY_US);
}

static int64_t naive_used(const struct life *life, int period)
{
	int64_t sum = 0;

	for (size_t i = 0; i < life->payment_count; i++) {
		const struct payment_then *one = &life->payments[i];

		if (!one->failed &&
		    number_of(period, one->at_us) == number_of(period, life->now_us))
			sum += one->amount;
	}
	return sum;
}

/* Told anew from all requests, in words: a request that is not higher than what counts then counts
 * and forgets the raise; a higher one waits, from its own time on, or since the raise that it
 * lowers was asked for. */
static int64_t naive_limit(const struct life *life, int period)
{
	int64_t current = LIMIT_NONE;
	int64_t raise = 0;
	int64_t raise_us = INT64_MAX;

	for (size_t i = 0; i < life->request_counts[period]; i++) {
		const struct request_then *one = &life->requests[period][i];

		if (raise_us <= one->at_us) {
			current = raise;
			raise_us = INT64_MAX;
		}
		if (one->wanted <= current) {
			current = one->wanted;
			raise_us = INT64_MAX;
		} else if (raise_us == INT64_MAX || one->wanted > raise) {
			raise = one->wanted;
			raise_us = one->counts_us;
		} else {
			raise = one->wanted;
		}
	}
	return raise_us <= life->now_us ? raise : current;
}

static void begin_periods(struct life *life)
{
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++) {
		if (life->period_of[period] == number_of(period, life->now_us))
			continue;
		life->period_of[period] = number_of(period, life->now_us);
		life->used[period] = 0;
	}
}

static void pay(struct life *life)
{
	struct limit_purse purse = {{{0, 0}}};
	struct limit_refusal refusal = {.measure = 0};
	int64_t amount = 1 + draw(life, 60);
	int64_t least = LIMIT_NONE;

	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++) {
		int64_t limit = naive_limit(life, period);
		int64_t left = limit == LIMIT_NONE ? LIMIT_NONE : limit - naive_used(life, period);

		purse.periods[period] = (struct limit_counter){
			limit_effective(&life->limits[period], life->now_us), life->used[period]};
		least = left < least ? left : least;
	}
	bool fits = limit_take(&purse, amount, &refusal);

	assert_int_equal(fits, amount <= least);
	if (!fits)
		assert_int_equal(refusal.left_minor, least < 0 ? 0 : least);
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
		life->used[period] = purse.periods[period].used_minor;
	if (fits)
		life->payments[life->payment_count++] =
			(struct payment_then){life->now_us, amount, false};
}

static void fail_one(struct life *life)
{
	if (life->payment_count == 0)
		return;
	struct payment_then *one = &life->payments[draw(life, (uint32_t)life->payment_count)];

	if (one->failed)
		return;
	one->failed = true;
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++) {
		if (number_of(period, one->at_us) == life->period_of[period])
			life->used[period] -= one->amount;
	}
}

static void change_limit(struct life *life)
{
	int period = 1 + (int)draw(life, LIMIT_PERIOD_MAX);
	int64_t wanted = draw(life, 8) == 0 ? LIMIT_NONE : (int64_t)draw(life, 200) * period;
	size_t *count = &life->request_counts[period];

	if (*count == REQUESTS_MAX)
		return;
	life->requests[period][(*count)++] =
		(struct request_then){life->now_us, wanted, life->now_us + 2 * DAY_US};
	limit_set(&life->limits[period], wanted, life->now_us, 2 * DAY_US);
}

static void live(uint32_t seed)
{
	static struct life life;

	life = (struct life){.random = seed};
	for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
		life.limits[period] = (struct person_limit)NOTHING;
	for (int step = 0; step < 500 && life.payment_count < PAYMENTS_MAX; step++) {
		life.now_us += draw(&life, 4) == 0 ? draw(&life, 3 * 86400) * INT64_C(1000000) : 1;
		begin_periods(&life);
		uint32_t what = draw(&life, 10);

		if (what < 6)
			pay(&life);
		else if (what < 8)
			change_limit(&life);
		else
			fail_one(&life);
		for (int period = LIMIT_DAY; period <= LIMIT_PERIOD_MAX; period++)
			assert_int_equal(life.used[period], naive_used(&life, period));
	}
}

static void lives_at_random(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 500; seed++)
		live(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting), cmocka_unit_test(effective),
		cmocka_unit_test(taking),  cmocka_unit_test(restrictions),
		cmocka_unit_test(kinds),   cmocka_unit_test(lives_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
