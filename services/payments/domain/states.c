/* What states.def says, as data and questions. */
#include "domain/states.h"

struct state_row {
	const char *name;
	enum payment_state_class class;
	const char *prose;
};

static const struct state_row state_rows[PAYMENT_STATE_MAX + 1] = {
#define PAYMENT_STATE(id, state_name, number, state_class, state_prose)                            \
	[number] = {state_name, PAYMENT_CLASS_##state_class, state_prose},
#include "domain/states.def"
#undef PAYMENT_STATE
};

const struct payment_edge payment_edges[] = {
#define PAYMENT_EDGE(edge_from, edge_to, edge_why)                                                 \
	{.from = PAYMENT_##edge_from, .to = PAYMENT_##edge_to, .why = (edge_why)},
#include "domain/states.def"
#undef PAYMENT_EDGE
};
const size_t payment_edge_count = sizeof(payment_edges) / sizeof(payment_edges[0]);

const char *payment_state_name(enum payment_state state)
{
	return state == PAYMENT_NONE ? "none" : state_rows[state].name;
}

bool payment_state_valid(int number)
{
	return number > 0 && number <= PAYMENT_STATE_MAX && state_rows[number].name != NULL;
}

enum payment_state_class payment_state_class(enum payment_state state)
{
	return state_rows[state].class;
}

bool payment_state_open(enum payment_state state)
{
	return state != PAYMENT_NONE && state_rows[state].class == PAYMENT_CLASS_OPEN;
}

bool payment_edge_allowed(enum payment_state from, enum payment_state to)
{
	for (size_t i = 0; i < payment_edge_count; i++) {
		if (payment_edges[i].from == from && payment_edges[i].to == to)
			return true;
	}
	return false;
}

static const char *class_name(enum payment_state_class class)
{
	static const char *const names[] = {"open", "review", "done", "final"};
	return names[class];
}

static const char *node(enum payment_state state)
{
	return state == PAYMENT_NONE ? "[*]" : payment_state_name(state);
}

void payment_states_print(FILE *out)
{
	fputs("# The states of a payment\n\n"
	      "Made from `services/payments/domain/states.def` by `daler-payments print-states`; a "
	      "unit test compares it.\n\n"
	      "```mermaid\nstateDiagram-v2\n",
	      out);
	for (size_t i = 0; i < payment_edge_count; i++)
		fprintf(out, "    %s --> %s: %s\n", node(payment_edges[i].from),
			node(payment_edges[i].to), payment_edges[i].why);
	for (int i = 1; i <= PAYMENT_STATE_MAX; i++) {
		if (state_rows[i].class == PAYMENT_CLASS_FINAL ||
		    state_rows[i].class == PAYMENT_CLASS_DONE)
			fprintf(out, "    %s --> [*]\n", payment_state_name((enum payment_state)i));
	}
	fputs("```\n\n| number | state | class | meaning |\n|---|---|---|---|\n", out);
	for (int i = 1; i <= PAYMENT_STATE_MAX; i++)
		fprintf(out, "| %d | %s | %s | %s |\n", i,
			payment_state_name((enum payment_state)i), class_name(state_rows[i].class),
			state_rows[i].prose);
	fputs("\nopen: a saga works on it. review: a person must look at it. done: carried out, "
	      "and "
	      "may yet be given back. final: nothing changes any more. Every change of "
	      "state is a row of `payment_events` that stays; a row that is no edge of this table "
	      "is refused by the database.\n",
	      out);
}
