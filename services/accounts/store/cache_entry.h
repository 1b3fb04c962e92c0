/* An account's metadata as the bytes of a cache entry. For store/cache.c and its tests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "domain/account.h"
#include "rt/arena.h"

/* Owner and label have up to 128 characters of up to 4 bytes. */
#define CACHE_ENTRY_BYTES_MAX 1400

/* Returns the length; 0 when it doesn't fit, which no checked account does. */
size_t cache_entry_write(const struct account_record *record, char bytes[CACHE_ENTRY_BYTES_MAX]);
/* False for anything that isn't wholly right: another version of the format, cut, with more at its
 * end, damaged, or of another account than the one in question. */
bool cache_entry_read(const char *bytes, size_t length, const struct rt_uuid *ledger_id,
		      const struct rt_uuid *account_id, struct rt_arena *arena,
		      struct account_record *record);
