/* Why a group is not carried out. Pure; any layer of the service may include this. */
#pragma once

#include <stdbool.h>

/* Stable names: they are on the wire, in the database, and in its CHECK. */
#define DECLINE_REASONS(ROW)                                                                       \
	ROW(INSUFFICIENT_FUNDS) /* less would be available than the account's lower limit */       \
	ROW(LIMIT_EXCEEDED)     /* more could become available than its upper limit */             \
	ROW(ACCOUNT_NOT_FOUND)                                                                     \
	ROW(ACCOUNT_FROZEN)  /* nothing may be taken from it */                                    \
	ROW(ACCOUNT_BLOCKED) /* nor given to it */                                                 \
	ROW(ACCOUNT_CLOSED)                                                                        \
	ROW(CURRENCY_MISMATCH) /* the transfer's currency is not that of both accounts */          \
	ROW(HOLD_NOT_FOUND)                                                                        \
	ROW(HOLD_MISMATCH) /* the hold is between other accounts */                                \
	ROW(HOLD_EXPIRED)                                                                          \
	ROW(ALREADY_CAPTURED)                                                                      \
	ROW(ALREADY_RELEASED)                                                                      \
	ROW(CAPTURE_EXCEEDS_HOLD)                                                                  \
	ROW(TRANSFER_NOT_FOUND) /* the original of a reversal */                                   \
	ROW(NOT_REVERSIBLE)     /* the original is a hold, a release or a reversal */              \
	ROW(REVERSAL_MISMATCH) /* the original is between other accounts, or the same way round */ \
	ROW(REVERSAL_EXCEEDS_ORIGINAL)                                                             \
	ROW(BALANCE_OVERFLOW) /* a total would leave the range of an int64_t */

enum decline_reason {
	DECLINE_NONE,
#define DECLINE_ENUM(name) DECLINE_##name,
	DECLINE_REASONS(DECLINE_ENUM)
#undef DECLINE_ENUM
};

/* "INSUFFICIENT_FUNDS"; not for DECLINE_NONE. */
const char *decline_name(enum decline_reason reason);
/* False when there is no such reason. */
bool decline_parse(const char *name, enum decline_reason *reason);
