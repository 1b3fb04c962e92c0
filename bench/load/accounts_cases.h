/* The cases that load accounts. For the load generator's main.c. */
#pragma once

#include <stddef.h>

#include "load.h"

extern const struct load_case accounts_cases[];
extern const size_t accounts_case_count;
