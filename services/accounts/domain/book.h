/* The running state of one ledger while a batch of groups is decided: accounts, holds, and what is
 * on record about the ids in question. Groups are decided one after the other, each against what
 * those before it left. Pure; for the service's engine and store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/account.h"
#include "domain/decline.h"
#include "domain/group.h"
#include "domain/hold.h"
#include "domain/original.h"
#include "domain/transfer.h"
#include "domain/uuid_table.h"
#include "rt/arena.h"
#include "rt/id.h"
#include "rt/status.h"

/* What is on record of a group: from the database, or decided in this batch. */
struct group_record {
	struct rt_uuid id;
	uint8_t hash[GROUP_HASH_BYTES];
	int64_t created_us;
	enum decline_reason decline;       /* DECLINE_NONE: it was posted */
	struct rt_uuid cause_id;           /* the transfer that it was declined for */
	enum decline_side cause_side;      /* and the one of its accounts */
	struct posted_transfer *transfers; /* when posted, by position */
	size_t count;                      /* of the group's transfers */
	size_t known;                      /* how many of them were read; all, when decided here */
	bool announced;                    /* a call of this batch was told this outcome */
	const struct group *asked;         /* decided here: the request; NULL when it was read */
	struct group_record *next_new;
};

struct book_account {
	struct account account;
	int64_t read_sequence; /* of its last entry before the batch */
	bool changed;
	struct book_account *next_changed;
};

struct book_hold {
	struct hold hold;
	bool is_void; /* made by a group that was declined after it: not there */
	bool is_new;
	bool changed;
	struct book_hold *next_changed; /* new or changed */
};

struct book_original {
	struct original original;
	const struct group_record *of; /* posted in this batch by that group; NULL: read */
	bool changed;
	struct book_original *next_changed;
};

/* What a list's links are counted by. */
struct book_counts {
	size_t posted_transfers;
	size_t declined_transfers;
	size_t accounts_changed;
	size_t holds_new;
	size_t holds_changed; /* and not new */
	size_t originals_changed;
};

struct book {
	struct rt_arena *arena;
	int64_t now_us;   /* create time of what is decided */
	int64_t clock_us; /* what the clock says: what holds expire by */
	struct uuid_table accounts;
	struct uuid_table holds;
	struct uuid_table originals;
	struct uuid_table
		transfers;        /* id of a transfer -> struct group_record, posted or declined */
	struct uuid_table groups; /* id of a group -> struct group_record */
	/* What is to be written. */
	struct group_record *first_new, **last_new;
	struct book_account *first_account;
	struct book_hold *first_hold;
	struct book_original *first_original;
	struct book_counts counts;
};

/* How many of each the book will hold at most. */
struct book_size {
	size_t accounts;
	size_t transfers; /* asked for by all groups together */
	size_t holds;     /* named by captures, releases and expiries */
	size_t originals; /* named by reversals */
};

/* Owns: memory of the arena. Errors: RESOURCE_EXHAUSTED BATCH_TOO_LARGE, as for all of the book's
 * functions. */
struct rt_status book_init(struct book *book, struct rt_arena *arena, const struct book_size *size);

/* What the database knows, put in before the first decision. Texts must outlive the book. */
struct rt_status book_add_account(struct book *book, const struct account *account);
struct rt_status book_add_hold(struct book *book, const struct hold *hold);
struct rt_status book_add_original(struct book *book, const struct original *original);
/* One posted transfer of a group of `count`. Errors: also INTERNAL BAD_RECORD for what no writer of
 * ours leaves. */
struct rt_status book_add_posted(struct book *book, const struct posted_transfer *posted,
				 const uint8_t hash[GROUP_HASH_BYTES], size_t count);

/* One transfer of a declined group. */
struct declined_transfer {
	struct rt_uuid transfer_id;
	struct rt_uuid group_id;
	struct rt_uuid cause_id;
	uint8_t hash[GROUP_HASH_BYTES];
	enum decline_reason reason;
	enum decline_side cause_side;
	int64_t created_us;
};
struct rt_status book_add_declined(struct book *book, const struct declined_transfer *declined);

/* After all of these: what is decided from here on has this time, or that of the last entry of an
 * account that the book has, when that is later: an account's entries never go back in time. Holds
 * expire by the clock alone: one that was ahead for a moment, and left its time on an account, ends
 * no hold before its time from then on. Source: docs/decisions/0034-the-time-of-a-batch.md. */
void book_set_time(struct book *book, int64_t clock_us);

/* Why a group is refused without a trace. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_MISMATCH, /* an id of it is on record with another body */
	REFUSAL_EXPIRES,  /* a hold is to expire in the past, or too far ahead */
	REFUSAL_NOT_DUE,  /* an expiry, of a hold that has ended, or isn't due */
};

/* What a caller is told about its group. */
struct outcome {
	const struct group_record *record; /* NULL: refused */
	bool replayed;
	enum refusal refusal;
	size_t position; /* of the transfer that it is refused for */
};

/* Decides one group against the running state: the recorded outcome when it is on record, else a
 * new one, posted or declined; a declined group leaves nothing but its decline, and a refused one
 * nothing. Errors: also INTERNAL BAD_RECORD. */
struct rt_status book_decide(struct book *book, const struct group *group, struct outcome *outcome);
