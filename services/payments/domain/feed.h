/* Where a reader of a ledger's changes stands. Pure.
 *
 * A change's place is (position, payment, version). Its position is the number of the transaction
 * that wrote it, and never less than that of the payment's change before it. Below the horizon -
 * the lowest number of a transaction that is still running - nothing is added any more, so that a
 * reader that stays below it misses nothing, whoever commits when. See
 * docs/decisions/0026-payments-watch.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/page.h"

/* -1, 0, 1: by position, then payment, then version. */
int feed_place_compare(const struct page_place *left, const struct page_place *right);
/* Before the first change. */
struct page_place feed_place_first(void);
/* After everything that is below the horizon: the first place at it. Never goes back. */
struct page_place feed_place_at_horizon(const struct page_place *place, int64_t horizon);
