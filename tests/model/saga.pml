/* The saga of a payment with its workers, leases and crashes: a withdrawal (hold, payout, capture or release), which has every
 * kind of step. Checked by check.py: no double effect, no lost compensation, nothing final changes, and the payment ends once
 * the connector answers.
 *
 * What is modelled: two workers; a crash between any two steps of theirs, after which the worker is another one; a worker that
 * is paused while its lease lapses, and wakes up when another has taken over; the fence and the version that each write
 * demands; a commit whose answer is lost; calls to ledger and connector that are lost on the way there or back, or arrive long
 * after their caller gave up; a connector that says yes, no, "pending", or refuses to take the request.
 *
 * What is left out, and why:
 * - Other payments. A saga shares commits and calls with others, and no data; shared transactions are tested with PostgreSQL.
 * - Time. A lease lapses and an answer is late whenever that hurts most; how long it takes is a setting.
 * - What is bounded here and not in life: CRASHES, LAPSES, LOSSES, PENDINGS. Liveness is claimed for the time after the last.
 * - PostgreSQL, whose transactions are taken to be atomic and durable, and the ledger's and the connector's idempotency by id,
 *   which their contracts promise (tests of accounts; the simulator). The broken variant IDS shows what hangs on them.
 * - Callers: what they are told follows the row.
 * - Kinds whose plan has fewer steps; they take a subset of these paths.
 *
 * Broken on purpose, each found by the check: -DBROKEN_TIMER (an unknown payment is failed after a while), -DBROKEN_FENCE (a
 * write does not look at who has the payment), -DBROKEN_IDS (a repeated step has a new id), -DBROKEN_RELEASE (the connector's
 * no is final before the hold is gone), -DBROKEN_LEASE (nobody takes over). */

#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#define LAPSES 1
#define PENDINGS 1

mtype = { CREATED, SUBMITTED, UNKNOWN, SETTLING, RELEASING, SUCCEEDED, DECLINED }; /* HELD shares SUBMITTED's commit */
mtype = { ABSENT, PENDING, DONE, REFUSED }; /* of the operation at the connector */
mtype = { YES, NO, SILENT };                /* what a caller hears */

/* The payment's row. */
mtype row_state = CREATED;
byte row_version = 1, row_fence = 1, row_owner = 1;
bool lease_holds = true; /* the owner's */
byte identities = 1;     /* given to workers so far */

/* The ledger: what its ids make of repeats, and what happened. */
bool hold_id, capture_id, release_id;
byte holds, captures, releases;

/* The connector's books, by our reference. */
mtype operation = ABSENT;
byte payouts; /* money that left */
byte late;    /* submissions that are still on their way */
bool would_pay, would_refuse;

byte crashes, lapses, losses, pendings;

#define FINAL (row_state == SUCCEEDED || row_state == DECLINED)

inline decide_payout()
{
	if
	:: would_refuse -> operation = ABSENT /* it keeps no record of what it does not take */
	:: !would_refuse && would_pay -> operation = DONE; payouts++
	:: !would_refuse && !would_pay -> operation = REFUSED
	fi
}

/* A submission arrives: the reference makes a repeat harmless. */
inline arrive()
{
	if
#ifdef BROKEN_IDS
	:: operation != PENDING -> operation = ABSENT; decide_payout()
#else
	:: operation == ABSENT && pendings < PENDINGS && !would_refuse -> operation = PENDING; pendings++
	:: operation == ABSENT -> decide_payout()
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

inline hear()
{
	if
	:: operation == DONE -> heard = YES
	:: operation == REFUSED -> heard = NO
	:: operation == PENDING -> heard = PENDING
	:: operation == ABSENT -> heard = ABSENT
	fi
}

inline submit()
{
	if
	:: arrive();
	   if
	   :: would_refuse -> heard = NO
	   :: else -> hear()
	   fi
	:: losses < LOSSES -> losses++; arrive(); heard = SILENT /* does it and never answers */
	:: losses < LOSSES -> losses++; heard = SILENT           /* never arrives */
	:: losses < LOSSES -> losses++; late++; heard = SILENT   /* arrives when nobody waits any more */
	fi
}

inline ask()
{
	if
	:: hear()
	:: losses < LOSSES -> losses++; heard = SILENT
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
		at = state
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
	byte version, fence;
	mtype at, heard;
	bool wrote, dead, asks;

	if
	:: row_owner == me -> version = 1; fence = 1; at = CREATED; asks = false; goto acts
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
		!FINAL && !lease_holds && row_owner != me ->
		row_owner = me;
		row_fence++;
		lease_holds = true;
		version = row_version;
		fence = row_fence;
		at = row_state;
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
		atomic {
			if
			:: asks -> ask()
			:: !asks -> submit()
			fi
		};
		MAY_DIE;
		if
		:: heard == YES -> ENTER(SETTLING)
#ifdef BROKEN_RELEASE
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
		atomic { post(capture_id, captures) };
		MAY_DIE;
		if
		:: heard == YES -> ENTER(SUCCEEDED)
		:: else
		fi
	:: at == RELEASING ->
		atomic { post(release_id, releases) };
		MAY_DIE;
		if
		:: heard == YES -> ENTER(DECLINED)
		:: else
		fi
	:: at == SUCCEEDED || at == DECLINED -> goto idle
	fi;
	goto acts;

done:
	skip
}

/* Submissions that arrive late, and operations that become final. */
proctype connector()
{
	do
	:: atomic { late > 0 -> late--; arrive() }
	:: atomic { operation == PENDING -> decide_payout() }
	:: atomic { FINAL && late == 0 && operation != PENDING -> break }
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
		identities = 2;
		run worker(1);
		run worker(2);
		run connector();
		run clock()
	}
}

/* No effect twice; captured or released, not both; captured only when the money has left. A payment that succeeded has moved
 * the money on both sides; one that was declined has moved nothing, for ever, and leaves no hold: no compensation is lost. */
ltl safe {
	[] (holds <= 1 && captures <= 1 && releases <= 1 && payouts <= 1
		&& captures + releases <= holds && captures <= payouts
		&& (row_state == SUCCEEDED -> (payouts == 1 && captures == 1))
		&& (row_state == DECLINED -> (payouts == 0 && releases == holds)))
}
/* Once the faults are over, and they are bounded, it ends. */
ltl ends { <> FINAL }
