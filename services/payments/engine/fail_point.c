#include "engine/fail_point.h"

#ifdef DALER_FAIL_POINTS
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rt/assert.h"

static const char *const names[] = {
#define FAIL_POINT(id, name, prose) [FAIL_##id] = (name),
#include "engine/fail_points.def"
#undef FAIL_POINT
};
#define POINT_COUNT (sizeof(names) / sizeof(names[0]))

#define ARMED_MAX   4
#define WAIT_S      2

static void wait_here(void)
{
	const struct timespec pause = {.tv_sec = WAIT_S};

	nanosleep(&pause, NULL);
}

static void die(void)
{
	raise(SIGKILL);
}

static void stop(void)
{
	raise(SIGSTOP);
}

static const struct action {
	const char *name;
	void (*take)(void);
} actions[] = {{"kill", die}, {"stop", stop}, {"wait", wait_here}};
#define ACTION_COUNT (sizeof(actions) / sizeof(actions[0]))

struct armed {
	enum fail_point point;
	const struct action *action;
	char state[32];       /* "": any */
	int64_t amount_minor; /* 0: any */
	atomic_int left;      /* the action is taken when this becomes 0 */
};

static struct {
	pthread_once_t once;
	struct armed armed[ARMED_MAX];
	size_t armed_count;
	int trace; /* -1: none */
} set = {.once = PTHREAD_ONCE_INIT, .trace = -1};

/* Cuts the text at the last `mark`; what follows it, or NULL. */
static char *cut(char *text, char mark)
{
	char *found = strrchr(text, mark);

	if (found == NULL)
		return NULL;
	*found = '\0';
	return found + 1;
}

static enum fail_point point_named(const char *name)
{
	size_t i = 0;

	while (i < POINT_COUNT && strcmp(names[i], name) != 0)
		i++;
	RT_ASSERT(i < POINT_COUNT);
	return (enum fail_point)i;
}

static const struct action *action_named(const char *name)
{
	for (size_t i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

static void arm(char *spec)
{
	RT_ASSERT(set.armed_count < ARMED_MAX);
	struct armed *armed = &set.armed[set.armed_count++];
	char *last = cut(spec, ':');

	RT_ASSERT(last != NULL);
	armed->left = 1;
	armed->action = action_named(last);
	if (armed->action == NULL) {
		armed->left = (int)strtol(last, NULL, 10);
		last = cut(spec, ':');
		RT_ASSERT(armed->left > 0 && last != NULL);
		armed->action = action_named(last);
	}
	RT_ASSERT(armed->action != NULL);
	const char *amount = cut(spec, '#');
	const char *state = cut(spec, '@');

	armed->amount_minor = amount == NULL ? 0 : strtoll(amount, NULL, 10);
	snprintf(armed->state, sizeof(armed->state), "%s", state == NULL ? "" : state);
	armed->point = point_named(spec);
}

static void arm_all(const char *text)
{
	char specs[256];
	char *rest = specs;
	char *spec = NULL;

	RT_ASSERT(strlen(text) < sizeof(specs));
	memcpy(specs, text, strlen(text) + 1);
	while ((spec = strsep(&rest, ",")) != NULL)
		arm(spec);
}

static void read_environment(void)
{
	const char *spec = getenv("DALER_FAIL_POINT");
	const char *trace = getenv("DALER_FAIL_POINT_TRACE");

	if (spec != NULL && spec[0] != '\0')
		arm_all(spec);
	if (trace == NULL)
		return;
	set.trace = open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	RT_ASSERT(set.trace >= 0);
}

static void note(enum fail_point point, const char *state, int64_t amount_minor)
{
	char line[128];
	int length = snprintf(line, sizeof(line), "%s@%s#%" PRId64 "\n", names[point], state,
			      amount_minor);
	ssize_t written = write(set.trace, line, (size_t)length);

	RT_ASSERT(written == length);
}

static bool is_meant(const struct armed *armed, enum fail_point point, enum payment_state state,
		     int64_t amount_minor)
{
	return point == armed->point &&
	       (armed->amount_minor == 0 || amount_minor == armed->amount_minor) &&
	       (armed->state[0] == '\0' || strcmp(armed->state, payment_state_name(state)) == 0);
}

void fail_point_reach(enum fail_point point, enum payment_state state, int64_t amount_minor)
{
	pthread_once(&set.once, read_environment);
	if (set.trace >= 0)
		note(point, payment_state_name(state), amount_minor);
	for (size_t i = 0; i < set.armed_count; i++) {
		struct armed *armed = &set.armed[i];

		if (is_meant(armed, point, state, amount_minor) &&
		    atomic_fetch_sub(&armed->left, 1) == 1)
			armed->action->take();
	}
}
#endif
