/* What is kept of a saga's call to a connector until it is written with what it led to. One that
 * led to nothing that is written is forgotten before the saga acts again. For engine/ alone. */
#pragma once

#include "engine/executor_internal.h"

#define CALL_PROVIDER_REFERENCE_BYTES 129

/* A call that was made and is not written yet. */
struct saga_call {
	struct payment_call call;
	char reference[RT_UUID_TEXT_BYTES];
	char reason[PAYMENT_REASON_BYTES];
	char provider_reference[CALL_PROVIDER_REFERENCE_BYTES];
};

/* Before the call is made: what the saga's decision asks for. */
void call_begin(struct executor *executor, struct saga *saga);
/* What it came to. */
void call_end(struct saga *saga, const struct saga_event *event);
/* The call to write with the saga; NULL: none. */
const struct payment_call *call_to_write(const struct saga *saga);
/* It is written, or led to nothing that is. */
void call_forget(struct saga *saga);
