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
#include <unistd.h>

#include "rt/assert.h"

static const char *const names[] = {
#define FAIL_POINT(id, name, prose) [FAIL_##id] = (name),
#include "engine/fail_points.def"
#undef FAIL_POINT
};
#define POINT_COUNT (sizeof(names) / sizeof(names[0]))

static struct {
	pthread_once_t once;
	bool armed;
	enum fail_point point;
	char state[32];       /* "": any */
	int64_t amount_minor; /* 0: any */
	atomic_int left;      /* dies when this becomes 0 */
	int trace;            /* -1: none */
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

static void arm(const char *text)
{
	char spec[128];

	RT_ASSERT(strlen(text) < sizeof(spec));
	memcpy(spec, text, strlen(text) + 1);
	char *last = cut(spec, ':');

	RT_ASSERT(last != NULL);
	set.left = 1;
	if (strcmp(last, "kill") != 0) {
		set.left = (int)strtol(last, NULL, 10);
		last = cut(spec, ':');
		RT_ASSERT(set.left > 0);
		RT_ASSERT(last != NULL && strcmp(last, "kill") == 0);
	}
	const char *amount = cut(spec, '#');
	const char *state = cut(spec, '@');

	set.amount_minor = amount == NULL ? 0 : strtoll(amount, NULL, 10);
	snprintf(set.state, sizeof(set.state), "%s", state == NULL ? "" : state);
	set.point = point_named(spec);
	set.armed = true;
}

static void read_environment(void)
{
	const char *spec = getenv("DALER_FAIL_POINT");
	const char *trace = getenv("DALER_FAIL_POINT_TRACE");

	if (spec != NULL)
		arm(spec);
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

void fail_point_reach(enum fail_point point, enum payment_state state, int64_t amount_minor)
{
	pthread_once(&set.once, read_environment);
	if (set.trace >= 0)
		note(point, payment_state_name(state), amount_minor);
	if (!set.armed || point != set.point)
		return;
	if (set.amount_minor != 0 && set.amount_minor != amount_minor)
		return;
	if (set.state[0] != '\0' && strcmp(set.state, payment_state_name(state)) != 0)
		return;
	if (atomic_fetch_sub(&set.left, 1) == 1)
		raise(SIGKILL);
}
#endif
