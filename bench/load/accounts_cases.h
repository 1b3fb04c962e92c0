/* The cases that load accounts. For the load generator's main.c. */
#pragma once

#include <stddef.h>

#include "load.h"

extern const struct load_case accounts_cases[];
extern const size_t accounts_case_count;
/* Those that read, as an operator. */
extern const struct load_case accounts_reads[];
extern const size_t accounts_read_count;

/* A group of one direct transfer between any two accounts, in the slot's arena. */
struct Daler__Accounts__V1__Group;
struct Daler__Accounts__V1__Group *accounts_group(struct slot *slot);
