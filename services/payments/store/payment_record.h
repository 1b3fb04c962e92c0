/* A payment's row, for the store's own files: its columns in the order of read_payment.sql. */
#pragma once

#include "store/payment_store.h"

#define PAYMENT_RECORD_COLUMNS 28

/* Text is copied into the arena. */
void payment_record_read(const struct rt_pg_rows *rows, int row, struct rt_arena *arena,
			 struct payment_record *record);
