/* Kinds of transfers. Pure; any layer may include this. */
#pragma once

#include <stdbool.h>

/* The numbers are stored. */
enum transfer_kind {
	TRANSFER_DIRECT = 1,
	TRANSFER_HOLD = 2,
	TRANSFER_CAPTURE = 3,
	TRANSFER_RELEASE = 4,
	TRANSFER_BALANCING = 5,
	TRANSFER_REVERSAL = 6,
	TRANSFER_EXPIRY = 7, /* the ledger's own: ends a hold whose time has come */
};

/* Whether the kind takes from a hold, and so names one. */
static inline bool transfer_names_hold(enum transfer_kind kind)
{
	return kind == TRANSFER_CAPTURE || kind == TRANSFER_RELEASE || kind == TRANSFER_EXPIRY;
}

/* Whether the kind names another transfer: a hold, or an original. */
static inline bool transfer_names_target(enum transfer_kind kind)
{
	return transfer_names_hold(kind) || kind == TRANSFER_REVERSAL;
}

/* Whether what the kind moved may be moved back. */
static inline bool transfer_is_reversible(enum transfer_kind kind)
{
	return kind == TRANSFER_DIRECT || kind == TRANSFER_BALANCING || kind == TRANSFER_CAPTURE;
}
