/* Going through an account's entries again: what they add up to, against what is on record. Pure;
 * for the service's engine/ and store/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/account.h"
#include "domain/hold.h"
#include "domain/open_holds.h"
#include "domain/transfer_kind.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/status.h"

/* Stable names. */
#define DISCREPANCY_REASONS(ROW)                                                                   \
	ROW(TOTALS_DIFFER)         /* an account's totals are not the sums of its transfers */     \
	ROW(SEQUENCE_GAP)          /* an account's entries are not numbered 1, 2, 3 */             \
	ROW(BALANCE_AFTER_DIFFERS) /* an entry's balances do not follow from those before it */    \
	ROW(LIMIT_PASSED)          /* an entry went beyond a limit of its time */                  \
	ROW(CURRENCY_DIFFERS)      /* an entry is not in its account's currency */                 \
	ROW(TIME_DIFFERS)          /* an account's entries go back in time */                      \
	ROW(HOLD_DIFFERS)          /* a hold is not what its transfers made of it */               \
	ROW(REVERSED_DIFFERS)      /* what of a transfer was moved back is not its reversals' */   \
	ROW(GROUP_DIFFERS)         /* a group's transfers are not what was asked for */            \
	ROW(ACCOUNT_UNKNOWN)       /* a transfer names an account that the ledger has not */       \
	ROW(DECLINE_DIFFERS)       /* a declined id is posted, or not declined as its group */     \
	ROW(METADATA_DIFFERS)      /* an account is not what its changes made of it */             \
	ROW(TRIAL_BALANCE_DIFFERS) /* debits do not equal credits */

enum discrepancy_reason {
#define DISCREPANCY_ENUM(name) DISCREPANCY_##name,
	DISCREPANCY_REASONS(DISCREPANCY_ENUM)
#undef DISCREPANCY_ENUM
};

struct discrepancy {
	enum discrepancy_reason reason;
	struct rt_uuid account_id;  /* nil: none */
	struct rt_uuid transfer_id; /* nil: none */
	char detail[160];
};

/* "TOTALS_DIFFER" */
const char *discrepancy_name(enum discrepancy_reason reason);
struct discrepancy discrepancy_make(enum discrepancy_reason reason,
				    const struct rt_uuid *account_id,
				    const struct rt_uuid *transfer_id, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* One side of a transfer. */
struct verify_entry {
	struct rt_uuid transfer_id;
	struct rt_uuid target_id;
	enum transfer_kind kind;
	int64_t moved_minor;
	bool keep_open;
	bool is_debit;
	struct account_state after; /* as it is on record */
	char currency[CURRENCY_CODE_BYTES];
	int64_t created_us;
};

/* The limits that were in force for entries after that one. */
struct verify_limits {
	int64_t after_sequence;
	struct account_limit lower, upper;
	int64_t credit_line_minor;
};

/* What its transfers made of a hold. */
struct verify_hold {
	struct rt_uuid id;
	struct rt_uuid account_id; /* the debited one */
	enum hold_state state;
	int64_t amount_minor;
	int64_t captured_minor;
};

/* Where what is found goes. */
struct verify_sink {
	void (*found)(void *context, const struct discrepancy *discrepancy);
	/* A hold that the account is debited by, when it has ended, or is still open at the end. */
	void (*hold)(void *context, const struct verify_hold *hold);
	/* A transfer that a reversal on the account's debit side moves back; again for each. */
	void (*reversal)(void *context, const struct rt_uuid *original_id);
	void *context;
};

/* The holds whose ids end in these bits, of a number that ids are spread over: those that a walk
 * follows. What they did up to that entry was judged by a walk before. */
struct verify_share {
	unsigned bits;
	uint64_t residue;
	int64_t after_sequence;
};

/* Each halves what is left, of numbers of 64 bits. */
#define VERIFY_SHARES_MAX 64

/* One account's entries, gone through from the first to the last. When more holds stand at once
 * than may be followed, the walk lets half of them go, and takes their ends at their word; they
 * are followed when the entries are gone through again. */
struct verify_walk {
	const struct verify_sink *sink;
	struct rt_uuid account_id;
	enum account_side side;
	char currency[CURRENCY_CODE_BYTES];
	const struct verify_limits *limits; /* in order, at least one */
	size_t limit_count;
	struct account_state seen;  /* after the last entry, as it is on record */
	int64_t seen_us;            /* when that was made */
	struct account_totals sums; /* of all entries */
	struct open_holds holds;
	struct verify_share share;
	struct verify_share left[VERIFY_SHARES_MAX]; /* to be followed by walks to come */
	size_t left_count;
	bool again; /* all but holds was judged before */
	bool told_totals;
};

/* `limits` may be exchanged later for a longer list; `holds_most` are followed at once. Owns:
 * memory of the arena. Errors: RESOURCE_EXHAUSTED LEDGER_TOO_LARGE, as for _entry. */
struct rt_status verify_begin(struct verify_walk *walk, const struct account *account,
			      const struct verify_limits *limits, size_t limit_count,
			      size_t holds_most, struct rt_arena *arena,
			      const struct verify_sink *sink);
/* The next entry of the account. */
struct rt_status verify_entry_next(struct verify_walk *walk, const struct verify_entry *entry);
/* After the last entry: compares with the account's row of the same moment. */
void verify_end(struct verify_walk *walk, const struct account *account);
/* After that: whether the account's entries, from the first on, are to be gone through again, for
 * holds that were let go. */
bool verify_again(struct verify_walk *walk);

/* What a change sets; the label is lent. */
struct verify_values {
	enum account_status status;
	struct account_limit lower, upper;
	int64_t credit_line_minor;
	const char *label;
};

/* Going through an account's changes again. */
struct verify_history {
	struct verify_values first, last; /* before the first change, after the last one */
	int64_t version;                  /* after the last one */
	int64_t sequence;                 /* of the account's entries, at the last one */
	int64_t broken_version;           /* of the first that does not follow; 0: none */
};

/* Begins with an account that has not changed, as far as is known. */
void verify_history_begin(struct verify_history *history, const struct account_record *record);
/* The next change, in the order of versions. */
void verify_history_next(struct verify_history *history, int64_t version, int64_t sequence,
			 const struct verify_values *before, const struct verify_values *after);
/* Whether they lead from what the account was created with, of which there is a hash, to the
 * account. Returns the version that does not follow from those before it; 0 when all do. */
int64_t verify_history_end(const struct verify_history *history,
			   const struct account_record *record,
			   const uint8_t creation_hash[ACCOUNT_HASH_BYTES]);
