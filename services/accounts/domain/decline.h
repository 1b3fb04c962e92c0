/* Why a group is not carried out. Pure; any layer of the service may include this. */
#pragma once

#include <stdbool.h>

/* What of a transfer a decline is about. */
enum decline_field {
	DECLINE_ABOUT_ACCOUNT, /* one of its accounts; enum decline_side tells which */
	DECLINE_ABOUT_AMOUNT,
	DECLINE_ABOUT_CURRENCY,
	DECLINE_ABOUT_TARGET, /* the hold or the original that it names */
};

/* Which of a transfer's accounts a decline is about; the numbers are stored. */
enum decline_side {
	DECLINE_SIDE_NONE = 0, /* neither; or it isn't on record, from before it was kept */
	DECLINE_SIDE_DEBIT = 1,
	DECLINE_SIDE_CREDIT = 2,
};

/* Stable names, and what each is about: the names are on the wire, in the database, and in its
 * CHECK. */
#define DECLINE_REASONS(ROW)                                                                       \
	/* less would be available than the account's lower limit */                               \
	ROW(INSUFFICIENT_FUNDS, AMOUNT)                                                            \
	/* more could become available than its upper limit */                                     \
	ROW(LIMIT_EXCEEDED, AMOUNT)                                                                \
	ROW(ACCOUNT_NOT_FOUND, ACCOUNT)                                                            \
	ROW(ACCOUNT_FROZEN, ACCOUNT)  /* nothing may be taken from it */                           \
	ROW(ACCOUNT_BLOCKED, ACCOUNT) /* nor given to it */                                        \
	ROW(ACCOUNT_CLOSED, ACCOUNT)                                                               \
	/* the transfer's currency is not that of both accounts */                                 \
	ROW(CURRENCY_MISMATCH, CURRENCY)                                                           \
	ROW(HOLD_NOT_FOUND, TARGET)                                                                \
	ROW(HOLD_MISMATCH, TARGET) /* the hold is between other accounts */                        \
	ROW(HOLD_EXPIRED, TARGET)                                                                  \
	ROW(ALREADY_CAPTURED, TARGET)                                                              \
	ROW(ALREADY_RELEASED, TARGET)                                                              \
	ROW(CAPTURE_EXCEEDS_HOLD, AMOUNT)                                                          \
	ROW(TRANSFER_NOT_FOUND, TARGET) /* the original of a reversal */                           \
	ROW(NOT_REVERSIBLE, TARGET)     /* the original is a hold, a release or a reversal */      \
	/* the original is between other accounts, or the same way round */                        \
	ROW(REVERSAL_MISMATCH, TARGET)                                                             \
	ROW(REVERSAL_EXCEEDS_ORIGINAL, AMOUNT)                                                     \
	ROW(BALANCE_OVERFLOW, AMOUNT) /* a total would leave the range of an int64_t */

enum decline_reason {
	DECLINE_NONE,
#define DECLINE_ENUM(name, about) DECLINE_##name,
	DECLINE_REASONS(DECLINE_ENUM)
#undef DECLINE_ENUM
};

/* "INSUFFICIENT_FUNDS"; not for DECLINE_NONE. */
const char *decline_name(enum decline_reason reason);
/* Not for DECLINE_NONE either. */
enum decline_field decline_about(enum decline_reason reason);
/* False when there is no such reason. */
bool decline_parse(const char *name, enum decline_reason *reason);
