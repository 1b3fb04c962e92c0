/* What limit_batch.c decides with and limit_writes.c writes. For these two. */
#pragma once

#include "domain/limits.h"
#include "store/limit_batch.h"

/* A purse as this batch has it. */
struct limit_batch_purse {
	struct limit_batch_purse *next;
	char currency[4];
	enum limit_measure measure;
	bool taken; /* something was */
	struct limit_purse purse;
};

/* A person whose row is locked, and what they have. */
struct limit_batch_person {
	struct rt_uuid ledger_id;
	const char *person_id;
	struct limit_restrictions restrictions;
	int64_t now_us;
	int64_t starts[LIMIT_PERIOD_MAX + 1]; /* days since 1970 */
	int64_t ends_us[LIMIT_PERIOD_MAX + 1];
	struct limit_batch_purse *purses;
};

struct limit_purses {
	struct limit_batch_person *persons; /* in the order of their key */
	size_t count;
	struct limit_batch_person *
		*of_entries; /* whose limits an entry has claimed or met; NULL: nobody's */
};
