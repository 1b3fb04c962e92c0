/* What a request or the configuration tells the simulator to do. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rt/status.h"

#define BEHAVIOUR_PREFIX                "sim:"
#define BEHAVIOUR_REASON_CHARACTERS_MAX 64

enum behaviour_id {
#define BEHAVIOUR(id, name, kind, least, most, without, unit, prose) BEHAVIOUR_##id,
#include "domain/behaviour.def"
#undef BEHAVIOUR
	BEHAVIOUR_COUNT
};

struct behaviour {
	int64_t values[BEHAVIOUR_COUNT]; /* 0: not told to; a flag is 1 */
	char decline_reason[BEHAVIOUR_REASON_CHARACTERS_MAX + 1];
};

/* Whether an instrument is told what to do. */
bool behaviour_is_scripted(const char *instrument);

/* Reads names separated by commas, as after the prefix. Errors: INVALID_ARGUMENT INVALID_FIELD
 * naming the field, saying which part is wrong and what is allowed; *behaviour is then unchanged.
 */
struct rt_status behaviour_parse(const char *field, const char *text, struct behaviour *behaviour);

/* The table as Markdown, for the reference page. */
void behaviour_print_reference(FILE *out);
