/* What is kept of a saga's call to a connector until it is written with what it led to. One that
 * led to nothing that is written is forgotten before the saga acts again. For engine/ alone. */
#pragma once

#include "engine/executor_internal.h"

/* Our reference for what the step asks of the connector. */
struct rt_uuid call_reference(const struct saga *saga, const struct saga_step *step);
/* Before the call is made: what the saga's decision asks for. */
void call_begin(struct saga *saga);
/* What it came to. */
void call_end(struct saga *saga, const struct saga_event *event);
/* Whether there is one that has ended. */
bool call_ended(const struct saga *saga);
/* That call, to be written with the saga; its text is in the arena, or the saga's. NULL: the arena
 * is full. */
struct payment_call *call_to_write(const struct saga *saga, struct rt_arena *arena);
/* It is written, or led to nothing that is. */
void call_forget(struct saga *saga);
