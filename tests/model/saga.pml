/* The saga of a payment with its workers, leases and crashes, in three forms. Checked by check.py: no double effect, no lost
 * compensation, nothing final changes, and the payment ends once the connector answers.
 *
 * - As built, a withdrawal: hold, payout, capture or release. The ledger takes every step.
 * - -DDEPOSIT: a charge that succeeds, then the credit; the ledger refuses it while the account is blocked, and then the charge
 *   is given back, until it is. (The connector's no is the withdrawal's without a hold.)
 * - -DANEW: a withdrawal that was paid out, and whose capture the ledger declines while the account is blocked. It waits for a
 *   person, who unblocks the account and has the payment go on: the capture is posted anew, under the next ids
 *   (docs/decisions/0041).
 *
 * What is modelled: two workers; a crash between any two steps of theirs, after which the worker is another one; a worker that
 * is paused while its lease lapses, and wakes up when another has taken over; the fence and the version that each write
 * demands; a commit whose answer is lost; calls to ledger and connector that are lost on the way there or back, or arrive long
 * after their caller gave up; a connector that says yes, no, "pending", or refuses to take the request.
 *
 * What is left out, and why:
 * - Charges in two steps or with a person, calling off, and a person's word about the other side: they are more ways of hearing
 *   yes or no. tests/unit/payments_histories.c goes through them at random, tests/fault with crashes.
 * - A give-back that the connector refuses for good: it waits for a person. A capture or release that is declined where nobody
 *   unblocks the account: likewise, and in no other form than -DANEW.
 * - Transfers between ledgers: the other side is a ledger then, which is asked as the connector is, but answers nothing that
 *   is not final. Kinds of one step (transfers, wagers, settlements, rollbacks) are the hold and its commit.
 * - Other payments. A saga shares commits and calls with others; what two share in data, the claims of refunds and rollbacks
 *   on their original and the limits of a person, is decided in transactions that lock the rows, tested with PostgreSQL.
 * - Time. A lease lapses and an answer is late whenever that hurts most; how long it takes is a setting.
 * - What is bounded here and not in life: CRASHES, LAPSES, LOSSES, PENDINGS, TAKES. Liveness is claimed for the time after the
 *   last.
 * - PostgreSQL, whose transactions are taken to be atomic and durable, and the ledger's and the connector's idempotency by id,
 *   which their contracts promise (tests of accounts; the simulator). The broken variant IDS shows what hangs on them.
 * - Callers: what they are told follows the row.
 *
 * Broken on purpose, each found by the check: -DBROKEN_TIMER (an unknown payment is failed after a while), -DBROKEN_FENCE (a
 * write does not look at who has the payment), -DBROKEN_IDS (a repeated step has a new id), -DBROKEN_RELEASE (the connector's
 * no is final before the hold is gone), -DBROKEN_LEASE (nobody takes over), -DBROKEN_COMPENSATION (who takes a give-back over
 * takes it for done), -DBROKEN_ANEW (a capture that was not answered is posted under the next ids). */

#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#define LAPSES 1
#ifndef PENDINGS
#define PENDINGS 1
#endif
#define TAKES 2 /* ids of a capture */

mtype = { CREATED, SUBMITTED, UNKNOWN, SETTLING, RELEASING, GIVING_BACK, REVIEW }; /* HELD shares SUBMITTED's commit */
mtype = { SUCCEEDED, DECLINED, COMPENSATED };
mtype = { ABSENT, PENDING, DONE, REFUSED }; /* of an operation at the connector, and of what the ledger has of a capture's id */
mtype = { YES, NO, SILENT };                /* what a caller hears */

/* The payment's row. */
mtype row_state = CREATED;
byte reviews; /* ended by a person, by its history */
byte row_version = 1, row_fence = 1, row_owner = 1;
bool lease_holds = true; /* the owner's */
byte identities = 1;     /* given to workers so far */

/* The ledger: what its ids make of repeats, and what happened. */
bool hold_id, release_id;
mtype settle_id[TAKES] = ABSENT; /* of a capture or a credit */
byte holds, settles, releases;
bool blocked; /* it declines captures and credits, and has that on record */

/* The connector's books, by our reference. */
mtype operation[2] = ABSENT;
byte moved[2]; /* money: how often */
byte late[2];  /* submissions that are still on their way */
bool would_pay, would_refuse;

byte crashes, lapses, losses, pendings;

#define FINAL (row_state == SUCCEEDED || row_state == DECLINED || row_state == COMPENSATED)

/* What it has charged it gives back. */
inline decide(what)
{
	if
	:: what == 0 && would_refuse -> operation[what] = ABSENT /* it keeps no record of what it does not take */
	:: what == 1 || (!would_refuse && would_pay) -> operation[what] = DONE; moved[what]++
	:: what == 0 && !would_refuse && !would_pay -> operation[what] = REFUSED
	fi
}

/* A submission arrives: the reference makes a repeat harmless. */
inline arrive(what)
{
	if
#ifdef BROKEN_IDS
	:: operation[what] != PENDING -> operation[what] = ABSENT; decide(what)
#else
	:: operation[what] == ABSENT && pendings < PENDINGS && (what == 1 || !would_refuse) -> operation[what] = PENDING; pendings++
	:: operation[what] == ABSENT -> decide(what)
#endif
	:: else -> skip
	fi
}

inline post(id, count)
{
	/* Told and answered; told, and the answer is lost; lost. */
	if
	:: apply_post(id, count); heard = YES
	:: losses < LOSSES -> losses++; apply_post(id, count); heard = SILENT
	:: losses < LOSSES -> losses++; heard = SILENT
	fi
}

inline apply_post(id, count)
{
	if
#ifdef BROKEN_IDS
	:: true -> count++
#else
	:: !id -> id = true; count++
	:: else -> skip
#endif
	fi
}

/* What the ledger has on record of these ids it says again. */
inline apply_settle()
{
	if
#ifdef BROKEN_IDS
	:: !blocked -> settles++; heard = YES
	:: blocked -> heard = NO
#else
	:: settle_id[take] == ABSENT && blocked -> settle_id[take] = REFUSED; heard = NO
	:: settle_id[take] == ABSENT && !blocked -> settle_id[take] = DONE; settles++; heard = YES
	:: settle_id[take] == DONE -> heard = YES
	:: settle_id[take] == REFUSED -> heard = NO
#endif
	fi
}

inline settle()
{
	if
	:: apply_settle()
	:: losses < LOSSES -> losses++; apply_settle(); heard = SILENT
	:: losses < LOSSES -> losses++; heard = SILENT
	fi
}

inline hear(what)
{
	if
	:: operation[what] == DONE -> heard = YES
	:: operation[what] == REFUSED -> heard = NO
	:: operation[what] == PENDING -> heard = PENDING
	:: operation[what] == ABSENT -> heard = ABSENT
	fi
}

inline submit(what)
{
	if
	:: arrive(what);
	   if
	   :: what == 0 && would_refuse -> heard = NO
	   :: else -> hear(what)
	   fi
	:: losses < LOSSES -> losses++; arrive(what); heard = SILENT /* does it and never answers */
	:: losses < LOSSES -> losses++; heard = SILENT               /* never arrives */
	:: losses < LOSSES -> losses++; late[what]++; heard = SILENT /* arrives when nobody waits any more */
	fi
}

inline ask(what)
{
	if
	:: hear(what)
	:: losses < LOSSES -> losses++; heard = SILENT
	fi
}

inline turn_to_connector(what)
{
	if
	:: asks -> ask(what)
	:: !asks -> submit(what)
	fi
}

#ifdef BROKEN_FENCE
#define MINE true
#else
#define MINE (row_version == version && row_fence == fence && row_owner == me)
#endif

/* One commit; its answer may be lost, and then the row is looked at. wrote: whether the payment is still this worker's. */
inline write(state)
{
	atomic {
		if
		:: MINE ->
			assert(!FINAL); /* nothing final changes */
			row_state = state;
			row_version++;
			wrote = true
		:: else -> wrote = false
		fi;
		if
		:: losses < LOSSES ->
			losses++; /* a lost answer */
			wrote = (row_fence == fence && row_owner == me && row_version == version + 1)
		:: true
		fi;
		version++;
		at = state;
		take = 0;
		take_max = 0
	}
}

/* kill -9 here, if it is to be. Another process comes up in its place. */
#define MAY_DIE                                                                                                    \
	if                                                                                                         \
	:: atomic { crashes < CRASHES -> crashes++; dead = true }                                                  \
	:: true                                                                                                    \
	fi;                                                                                                        \
	if                                                                                                         \
	:: dead -> goto reborn                                                                                     \
	:: else                                                                                                    \
	fi

/* What was written before it is acted on; a payment that was lost is dropped. */
#define ENTER(state)                                                                                               \
	write(state);                                                                                              \
	MAY_DIE;                                                                                                   \
	if                                                                                                         \
	:: !wrote -> goto idle                                                                                     \
	:: else                                                                                                    \
	fi

proctype worker(byte me)
{
	byte version, fence, take, take_max;
	mtype at, heard;
	bool wrote, dead, asks;

	if
	:: row_owner == me -> version = 1; fence = 1; at = row_state; asks = false; goto acts
	:: else -> goto idle
	fi;

reborn:
	atomic {
		dead = false;
		if
		:: row_owner == me -> lease_holds = false
		:: else
		fi;
		identities++;
		me = identities
	};

idle:
	/* Takes over what has lapsed: the fence moves with the owner. */
	if
#ifndef BROKEN_LEASE
	:: atomic {
		!FINAL && row_state != REVIEW && !lease_holds && row_owner != me ->
		row_owner = me;
		row_fence++;
		lease_holds = true;
		version = row_version;
		fence = row_fence;
		at = row_state;
		take = 0;
		take_max = reviews;
		asks = true /* whoever had it may have submitted it */
	   }
#endif
	:: atomic { FINAL -> goto done }
	fi;

acts:
	MAY_DIE;
	if
	:: at == CREATED ->
		atomic { post(hold_id, holds) };
		MAY_DIE;
		if
		:: heard == YES -> asks = false; ENTER(SUBMITTED)
		:: else
		fi
	:: at == SUBMITTED || at == UNKNOWN ->
		atomic { turn_to_connector(0) };
		MAY_DIE;
		if
		:: heard == YES -> ENTER(SETTLING)
#if defined(BROKEN_RELEASE) || defined(DEPOSIT) /* of which nothing is held */
		:: heard == NO -> ENTER(DECLINED)
#else
		:: heard == NO -> ENTER(RELEASING)
#endif
		:: heard == PENDING -> asks = true
		:: heard == ABSENT && at == UNKNOWN -> asks = false; ENTER(SUBMITTED)
		:: heard == ABSENT && at == SUBMITTED -> asks = false
		:: heard == SILENT && at == UNKNOWN -> asks = true
		:: heard == SILENT && at == SUBMITTED -> asks = true; ENTER(UNKNOWN)
		fi
#ifdef BROKEN_TIMER
	:: at == UNKNOWN -> ENTER(RELEASING)
#endif
	:: at == SETTLING ->
		atomic { settle() };
		MAY_DIE;
		if
		:: heard == YES -> ENTER(SUCCEEDED)
		:: heard == NO && take < take_max -> take++ /* on record as declined: the next ids */
#ifdef DEPOSIT
		:: heard == NO && take >= take_max -> asks = false; ENTER(GIVING_BACK)
#else
		:: heard == NO && take >= take_max -> ENTER(REVIEW)
#endif
#ifdef BROKEN_ANEW
		:: heard == SILENT && take + 1 < TAKES -> take++
#endif
		:: heard == SILENT
		fi
	:: at == GIVING_BACK ->
#ifdef BROKEN_COMPENSATION
		if
		:: asks -> ENTER(COMPENSATED)
		:: else
		fi;
#endif
		atomic { turn_to_connector(1) };
		MAY_DIE;
		if
		:: heard == YES -> ENTER(COMPENSATED)
		:: heard == PENDING || heard == SILENT -> asks = true
		:: heard == ABSENT -> asks = false
		fi
	:: at == RELEASING ->
		atomic { post(release_id, releases) };
		MAY_DIE;
		if
		:: heard == YES -> ENTER(DECLINED)
		:: else
		fi
	:: at == SUCCEEDED || at == DECLINED || at == COMPENSATED || at == REVIEW -> goto idle
	fi;
	goto acts;

done:
	skip
}

/* Submissions that arrive late, and operations that become final. */
proctype connector()
{
	do
	:: atomic { late[0] > 0 -> late[0]--; arrive(0) }
	:: atomic { late[1] > 0 -> late[1]--; arrive(1) }
	:: atomic { operation[0] == PENDING -> decide(0) }
	:: atomic { operation[1] == PENDING -> decide(1) }
	:: atomic { FINAL && late[0] + late[1] == 0 && operation[0] != PENDING && operation[1] != PENDING -> break }
	od
}

/* Unblocks the account, whenever that is, and has a payment that waits for it go on, which is taken over then. */
proctype person()
{
	atomic { blocked = false };
	do
	:: atomic {
		row_state == REVIEW && reviews + 1 < TAKES ->
		reviews++;
		row_state = SETTLING;
		row_version++;
		row_owner = 0;
		lease_holds = false
	   }
	:: FINAL -> break
	od
}

/* A worker is paused for so long that its lease lapses; it does not know. */
proctype clock()
{
	do
	:: atomic { lease_holds && lapses < LAPSES && !FINAL -> lapses++; lease_holds = false }
	:: lapses >= LAPSES || FINAL -> break
	od
}

init
{
	atomic {
		if
		:: would_pay = true
		:: would_pay = false
		:: would_refuse = true
		fi;
#ifdef DEPOSIT
		row_state = SUBMITTED; /* nothing is held */
		would_refuse = false;
		would_pay = true;
#endif
#ifdef ANEW
		row_state = SETTLING;
		hold_id = true;
		holds = 1;
		operation[0] = DONE;
		moved[0] = 1;
#endif
#if defined(DEPOSIT) || defined(ANEW)
		blocked = true;
		run person();
#endif
		identities = 2;
		run worker(1);
		run worker(2);
		run connector();
		run clock()
	}
}

#ifdef DEPOSIT
/* No effect twice; what was charged is credited or given back, not both, whenever the account is unblocked. One that was
 * compensated has given back what it charged, and none of them is declined: no compensation is lost. */
ltl safe {
	[] (moved[0] <= 1 && settles + moved[1] <= moved[0]
		&& (row_state == SUCCEEDED -> settles == 1)
		&& (row_state == COMPENSATED -> moved[1] == 1)
		&& row_state != DECLINED)
}
#else
/* No effect twice; captured or released, not both; captured only when the money has left. A payment that succeeded has moved
 * the money on both sides; one that was declined has moved nothing, for ever, and leaves no hold: no compensation is lost. */
ltl safe {
	[] (holds <= 1 && settles <= 1 && releases <= 1 && moved[0] <= 1
		&& settles + releases <= holds && settles <= moved[0]
		&& (row_state == SUCCEEDED -> (moved[0] == 1 && settles == 1))
		&& (row_state == DECLINED -> (moved[0] == 0 && releases == holds)))
}
#endif
/* Once the faults are over, and they are bounded, it ends. */
ltl ends { <> FINAL }
