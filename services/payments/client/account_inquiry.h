/* Questions about accounts, many in one call: those that come while others are on their way go out
 * together. No timer: one that finds nothing in flight goes at once. What is learned is remembered.
 * For client/ and main.c. */
#pragma once

#include <stdint.h>

#include "client/account_memory.h"
#include "client/accounts.h"

struct account_inquiries;

struct account_inquiries *account_inquiries_new(struct rt_channel *channel,
						struct account_memory *memory);
/* After the client was stopped: nothing is in flight. */
void account_inquiries_destroy(struct account_inquiries *inquiries);
/* `done` is called once, perhaps before this returns. Errors: NOT_FOUND as accounts says; the
 * channel's. Thread: any. */
void account_inquiries_ask(struct account_inquiries *inquiries, const struct rt_uuid *ledger_id,
			   const struct rt_uuid *account_id, const struct rt_call_options *options,
			   accounts_looked_up done, void *context);
