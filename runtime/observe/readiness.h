/* What a readiness check gathers, and how it is shown. For admin_http.c. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "rt/admin_http.h"

#define COMPONENTS_MAX 16

struct component {
	char name[32];
	bool required;
	bool works;
	char why[128]; /* empty when it works */
};

struct rt_readiness {
	size_t count;
	struct component components[COMPONENTS_MAX];
};

/* Every byte of the texts could become an escape of six. */
#define READINESS_JSON_BYTES ((size_t)24 * 1024)
static_assert(READINESS_JSON_BYTES > COMPONENTS_MAX * (6 * sizeof(struct component) + 64) + 64,
	      "all fits");

/* True when every required component works. */
bool readiness_ready(const struct rt_readiness *report);
/* Returns the length; not NUL-terminated. */
size_t readiness_json(const struct rt_readiness *report, char bytes[READINESS_JSON_BYTES]);
