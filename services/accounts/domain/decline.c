#include "domain/decline.h"

#include <stddef.h>
#include <string.h>

#include "rt/assert.h"

static const struct {
	const char *name;
	enum decline_field about;
} rows[] = {[DECLINE_NONE] = {NULL, DECLINE_ABOUT_ACCOUNT},
#define DECLINE_ROW(name, about) [DECLINE_##name] = {#name, DECLINE_ABOUT_##about},
	    DECLINE_REASONS(DECLINE_ROW)
#undef DECLINE_ROW
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const char *decline_name(enum decline_reason reason)
{
	RT_ASSERT(reason != DECLINE_NONE);
	RT_ASSERT((size_t)reason < ROW_COUNT);
	return rows[reason].name;
}

enum decline_field decline_about(enum decline_reason reason)
{
	RT_ASSERT(reason != DECLINE_NONE);
	RT_ASSERT((size_t)reason < ROW_COUNT);
	return rows[reason].about;
}

bool decline_parse(const char *name, enum decline_reason *reason)
{
	for (size_t i = 1; i < ROW_COUNT; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*reason = (enum decline_reason)i;
			return true;
		}
	}
	return false;
}
