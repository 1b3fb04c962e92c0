/* The accounts service, as payments needs it: ledger steps of many payments in one call, and who
 * owns an account. For the engine and rpc/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "client/account_memory.h"
#include "domain/saga.h"
#include "rt/arena.h"
#include "rt/rpc_client.h"

struct accounts_client {
	struct rt_channel *channel;
	int64_t timeout_ms; /* of one call */
	struct account_memory *memory;
	struct account_inquiries *inquiries;
};

#define ACCOUNTS_BATCH_MAX 1000

/* One payment's ledger step. */
struct ledger_post {
	struct rt_uuid payment_id;
	const struct saga_step *step; /* a ledger's */
	uint32_t take;                /* see ledger_transfer_id */
	const struct rt_uuid *sides;  /* LEDGER_SIDES; lent */
	int64_t amounts[2];           /* by enum ledger_amount */
	const char *currency;
};

/* What became of each: SAGA_LEDGER_*, in the order of the posts; reasons are lent. `refused` is
 * true when the whole call was refused for its content, so that the posts must be tried one by one.
 * Thread: the client's. */
typedef void (*accounts_posted)(void *context, const struct saga_event *events, bool refused);

/* Posts up to ACCOUNTS_BATCH_MAX steps of one ledger; `done` is called once, perhaps before this
 * returns. Safe to repeat: the ids of transfers are derived from the payment's id and the step.
 * Owns: copies the posts. */
void accounts_post(const struct accounts_client *client, const struct rt_uuid *ledger_id,
		   const struct ledger_post *posts, size_t count, bool repeat,
		   const struct rt_trace *trace, accounts_posted done, void *context);

/* Who owns an account, and in which currency; lent. Both NULL unless the status is OK. */
typedef void (*accounts_looked_up)(void *context, struct rt_status status, const char *owner,
				   const char *currency);

/* Shares calls with others, and keeps what it is told in the client's memory. */
void accounts_look_up(const struct accounts_client *client, const struct rt_uuid *ledger_id,
		      const struct rt_uuid *account_id, const struct rt_call_options *options,
		      accounts_looked_up done, void *context);

/* The same, waited for; text is in the arena. For a worker's thread. Errors: NOT_FOUND as accounts
 * says. */
struct rt_status accounts_get(const struct accounts_client *client, const struct rt_uuid *ledger_id,
			      const struct rt_uuid *account_id,
			      const struct rt_call_options *options, struct rt_arena *arena,
			      const char **owner, const char **currency);
