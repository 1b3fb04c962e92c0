/* Lanes that take one step at a time, when they are told to, so that a test can interleave them at
 * will. For tests/isolation alone. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "domain/amendment.h"
#include "domain/book.h"
#include "rt/arena.h"
#include "rt/pg.h"

#define GROUP_SIZE_MAX 3

/* One group as a test asks for it. */
struct ask {
	struct rt_uuid ledger_id;
	struct transfer transfers[GROUP_SIZE_MAX];
	struct group group;
};

struct lane;
struct lanes;

/* LANES of them, each with a connection and a thread of its own, in the accounts database of the
 * sandbox. */
enum { LANES = 3 };
struct lanes *lanes_new(void);
void lanes_destroy(struct lanes *lanes);
/* The connection that looks on: as the owner of the schema. */
struct rt_pg *lanes_watch(struct lanes *lanes);
/* The service's role, for what is not to be interleaved. */
struct rt_pg *lanes_pg(struct lanes *lanes);

/* What a lane is to do in its steps; lent until the schedule has ended. */
void lanes_ask(struct lanes *lanes, size_t lane, const struct ask *ask);
void lanes_amend(struct lanes *lanes, size_t lane, const struct amendment *amendment);
void lanes_open(struct lanes *lanes, size_t lane, const struct account_record *record);

/* Carries out a schedule such as "1R 2R! 1W 2W": a lane's number and its step,
 *   R  begins, locks and reads; W  decides, writes and commits; A  abandons
 *   L  begins and locks an account to change it; M  changes it and commits
 *   O  begins and opens an account; C  commits that
 *   K  its connection is killed by an administrator
 * with ! when the step must find itself waiting for a lock, and ? when it must fail as a lost
 * connection does. Steps of a lane that waits are taken when it waits no more; in the end none must
 * wait. */
void lanes_run(struct lanes *lanes, const char *schedule);
/* What the lane's last W, M or C came to: "posted", a decline's reason, "again " before it when it
 * was a repetition, "MISMATCH", "EXPIRES" or "NOT_DUE" when it was refused, "done" or the status's
 * reason for M and C. */
const char *lanes_verdict(const struct lanes *lanes, size_t lane);
/* What the lane's last W moved with its first transfer. */
int64_t lanes_moved_minor(const struct lanes *lanes, size_t lane);

/* The lanes' clock, and what moves it ahead of the wall's. */
int64_t lanes_now_us(void);
void lanes_let_pass(int64_t duration_us);

/* The same as the steps R and W, here and now. */
const char *lanes_post(struct lanes *lanes, const struct ask *ask);
int64_t in_ms(int64_t duration_ms);
void check_ok(struct rt_status status, const char *file, int line);
#define OK(status) check_ok(status, __FILE__, __LINE__)
