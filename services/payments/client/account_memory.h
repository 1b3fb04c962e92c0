/* What is remembered of accounts: owner and currency, which never change once an account is opened,
 * and accounts are never removed. Nothing else of an account may be kept here: what can change is
 * asked of the ledger each time. Bounded; the newest takes the place of another. For client/ and
 * the engine. */
#pragma once

#include <stdbool.h>

#include "domain/payment.h"
#include "rt/id.h"

#define ACCOUNT_OWNER_BYTES                                                                        \
	PAYMENT_CALLER_BYTES /* longer owners are no persons, and not remembered */

struct account_memory;

struct account_facts {
	char owner[ACCOUNT_OWNER_BYTES];
	char currency[4];
};

struct account_memory *account_memory_new(void);
void account_memory_destroy(struct account_memory *memory);
/* False when it is not remembered. Thread: any. */
bool account_memory_find(struct account_memory *memory, const struct rt_uuid *ledger_id,
			 const struct rt_uuid *account_id, struct account_facts *facts);
/* Thread: any. */
void account_memory_keep(struct account_memory *memory, const struct rt_uuid *ledger_id,
			 const struct rt_uuid *account_id, const char *owner, const char *currency);
