#include "rt/assert.h"

#include <stdlib.h>

#include "rt/log.h"

void rt_assert_failed(const char *condition, const char *file, int line)
{
	RT_LOG(ERROR, "assertion_failed", RT_TEXT("condition", condition), RT_TEXT("file", file),
	       RT_INT("line", line));
	abort();
}
