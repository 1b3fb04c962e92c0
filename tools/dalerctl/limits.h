/* Flags that the commands about a person's limits and exclusions share. For commands_limit.c and
 * commands_exclusion.c. */
#pragma once

#include "command.h"

#define LIMITS_LEDGER_FLAG                                                                         \
	{                                                                                          \
		"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"                           \
	}
#define LIMITS_PERSON_FLAG                                                                         \
	{                                                                                          \
		"person", "person-id", "ID", FLAG_REQUIRED, "the owner of the person's accounts"   \
	}
#define LIMITS_REASON_FLAG                                                                         \
	{                                                                                          \
		"reason", NULL, "TEXT", FLAG_OPTIONAL,                                             \
			"why; it is kept, and operators must say it"                               \
	}
