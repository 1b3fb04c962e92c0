/* What a book's decisions changed, as columns for the statements that write it. For
 * store/posting_store.c alone. */
#pragma once

#include "domain/book.h"
#include "rt/pg.h"

/* Each adds the parameters after the ledger's id, in the order of the statement's file. A full
 * arena shows when the statement is sent. */
void posting_columns_transfers(struct rt_pg_params *params, const struct book *book);
void posting_columns_declines(struct rt_pg_params *params, const struct book *book);
void posting_columns_new_holds(struct rt_pg_params *params, const struct book *book);
void posting_columns_changed_holds(struct rt_pg_params *params, const struct book *book);
void posting_columns_reversed(struct rt_pg_params *params, const struct book *book);
void posting_columns_accounts(struct rt_pg_params *params, const struct book *book);
