/* The cases that load payments. For the load generator's main.c. */
#pragma once

#include <stddef.h>

#include "load.h"
#include "rt/status.h"

extern const struct load_case payments_cases[];
extern const size_t payments_case_count;

/* Makes an account of the world's ledger the simulator's clearing account. Repeating it is
 * harmless. */
struct rt_status payments_set_up(const struct load_world *world, struct rt_channel *channel,
				 const char *bearer);
