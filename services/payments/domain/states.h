/* The states of a payment, from states.def. Pure; any layer of payments may include this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum payment_state {
	PAYMENT_NONE = 0, /* before the first */
#define PAYMENT_STATE(name, lower, number, class, prose) PAYMENT_##name = (number),
#include "domain/states.def"
#undef PAYMENT_STATE
};
#define PAYMENT_STATE_MAX 14

enum payment_state_class {
	PAYMENT_CLASS_OPEN,
	PAYMENT_CLASS_REVIEW,
	PAYMENT_CLASS_DONE,
	PAYMENT_CLASS_FINAL
};

struct payment_edge {
	enum payment_state from;
	enum payment_state to;
	const char *why;
};

extern const struct payment_edge payment_edges[];
extern const size_t payment_edge_count;

/* Lower case, as in metrics and the docs: "manual_review"; "none" for PAYMENT_NONE. */
const char *payment_state_name(enum payment_state state);
/* Whether the number is one of the table's. */
bool payment_state_valid(int number);
enum payment_state_class payment_state_class(enum payment_state state);
/* Whether a saga works on it. */
bool payment_state_open(enum payment_state state);
/* Whether the table has an edge between the two. */
bool payment_edge_allowed(enum payment_state from, enum payment_state to);
/* Writes the reference page: the states, and a mermaid diagram of the edges. */
void payment_states_print(FILE *out);
