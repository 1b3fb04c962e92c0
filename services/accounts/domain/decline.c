#include "domain/decline.h"

#include <stddef.h>
#include <string.h>

#include "rt/assert.h"

static const char *const names[] = {[DECLINE_NONE] = NULL,
#define DECLINE_NAME(name) [DECLINE_##name] = #name,
				    DECLINE_REASONS(DECLINE_NAME)
#undef DECLINE_NAME
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

const char *decline_name(enum decline_reason reason)
{
	RT_ASSERT(reason != DECLINE_NONE);
	RT_ASSERT((size_t)reason < NAME_COUNT);
	return names[reason];
}

bool decline_parse(const char *name, enum decline_reason *reason)
{
	for (size_t i = 1; i < NAME_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*reason = (enum decline_reason)i;
			return true;
		}
	}
	return false;
}
