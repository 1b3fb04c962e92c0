/* What a book's decisions changed, as columns for the statements that write it. For
 * store/posting_store.c alone. */
#pragma once

#include "domain/book.h"
#include "rt/pg.h"

/* A place among the transfers that a book has posted. */
struct posted_place {
	const struct group_record *record;
	size_t position;
};

/* Each adds the parameters after the ledger's id, in the order of the statement's file. A full
 * arena shows when the statement is sent. The transfers come `count` at a time, from the place to
 * the one that it is moved to. */
void posting_columns_transfers(struct rt_pg_params *params, const struct book *book,
			       struct posted_place *place, size_t count);
void posting_columns_declines(struct rt_pg_params *params, const struct book *book);
void posting_columns_new_holds(struct rt_pg_params *params, const struct book *book);
void posting_columns_changed_holds(struct rt_pg_params *params, const struct book *book);
void posting_columns_reversed(struct rt_pg_params *params, const struct book *book);
void posting_columns_accounts(struct rt_pg_params *params, const struct book *book);
