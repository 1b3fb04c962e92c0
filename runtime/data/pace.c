#include "rt/pace.h"

#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/group_commit.h"
#include "rt/lock.h"
#include "rt/metrics.h"

/* How often it is looked whether lanes are at work. */
#define LOOK_US (20 * RT_US_PER_MS)

struct rt_pace {
	struct rt_commit *commit;
	int64_t percent;
	int64_t rest_us_max;
	struct rt_series *rested;
	struct rt_lock lock; /* guards what follows */
	int64_t paid_us;     /* when earlier turns are paid for */
	int64_t looked_us;
	int64_t busy_us; /* what lanes had worked then */
	bool pressed;
};

struct rt_pace *rt_pace_new(struct rt_commit *commit, int64_t percent, int64_t rest_us_max)
{
	RT_ASSERT(percent >= 1);
	RT_ASSERT(percent <= 100);
	struct rt_pace *pace = calloc(1, sizeof(*pace));
	RT_ASSERT(pace != NULL);
	pace->commit = commit;
	pace->percent = percent;
	pace->rest_us_max = rest_us_max;
	pace->rested = RT_SERIES(PACE_RESTED);
	rt_lock_init(&pace->lock, RT_RANK_SERVICE);
	return pace;
}

void rt_pace_destroy(struct rt_pace *pace)
{
	if (pace == NULL)
		return;
	rt_lock_deinit(&pace->lock);
	free(pace);
}

/* Whether lanes were at work for more than half of the time since it was last looked. */
static bool look(struct rt_pace *pace, int64_t now_us)
{
	int64_t passed_us = now_us - pace->looked_us;
	if (passed_us < LOOK_US)
		return pace->pressed;
	int64_t busy_us = rt_commit_busy_us(pace->commit);
	pace->pressed = (busy_us - pace->busy_us) * 2 > passed_us;
	pace->looked_us = now_us;
	pace->busy_us = busy_us;
	return pace->pressed;
}

/* How long there is still to wait. */
static int64_t left_us(struct rt_pace *pace, int64_t now_us)
{
	RT_LOCKED(&pace->lock);
	return look(pace, now_us) ? pace->paid_us - now_us : 0;
}

int64_t rt_pace_begin(struct rt_pace *pace, int64_t deadline_mono_us)
{
	int64_t came_us = rt_clock_mono_us(), now_us = came_us;
	for (;;) {
		int64_t wait_us = left_us(pace, now_us);
		if (wait_us > deadline_mono_us - now_us)
			wait_us = deadline_mono_us - now_us;
		if (wait_us <= 0)
			break;
		rt_clock_sleep_us(wait_us < LOOK_US ? wait_us : LOOK_US);
		now_us = rt_clock_mono_us();
	}
	rt_series_observe_us(pace->rested, now_us - came_us);
	return now_us;
}

void rt_pace_end(struct rt_pace *pace, int64_t began_mono_us)
{
	int64_t now_us = rt_clock_mono_us();
	int64_t owed_us = (now_us - began_mono_us) * (100 - pace->percent) / pace->percent;
	RT_LOCKED(&pace->lock);
	if (!look(pace, now_us))
		return;
	int64_t paid_us = (pace->paid_us > now_us ? pace->paid_us : now_us) + owed_us;
	int64_t latest_us = now_us + pace->rest_us_max;
	pace->paid_us = paid_us < latest_us ? paid_us : latest_us;
}
