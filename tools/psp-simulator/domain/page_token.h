/* Page tokens: opaque, and refused when they were changed. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAGE_TOKEN_BYTES 33

void page_token_make(int64_t arrival, char token[PAGE_TOKEN_BYTES]);
/* False when it is not one of ours. */
bool page_token_read(const char *token, int64_t *arrival);
