"""Walks the history of every account, entry by entry, with nothing but what the transfers' rows say, and names whatever does
not follow from what came before it."""

import collections

from support import environment

DIRECT, HOLD, CAPTURE, RELEASE, BALANCING, REVERSAL, EXPIRY = range(1, 8)
DEBIT_NORMAL = 1
PENDING, CAPTURED, RELEASED, EXPIRED = range(1, 5)
ENDS = {CAPTURE: CAPTURED, RELEASE: RELEASED, EXPIRY: EXPIRED}
SHOWN_MAX = 20

Totals = collections.namedtuple("Totals", "debits_posted credits_posted debits_pending credits_pending")
ZERO = Totals(0, 0, 0, 0)
Account = collections.namedtuple("Account", "id currency side lower upper line sequence totals")
COLUMNS = """transfer_id, group_id, group_position, group_size, kind, target_id, keep_open, amount_minor, moved_minor, currency,
    (extract(epoch FROM created) * 1000000)::bigint, (extract(epoch FROM expires) * 1000000)::bigint,
    debit_account_id, debit_sequence, debit_debits_posted_minor, debit_credits_posted_minor, debit_debits_pending_minor,
    debit_credits_pending_minor, credit_account_id, credit_sequence, credit_debits_posted_minor, credit_credits_posted_minor,
    credit_debits_pending_minor, credit_credits_pending_minor"""


class Transfer:
    __slots__ = ("id", "group", "position", "size", "kind", "target", "keep_open", "amount", "moved", "currency", "created",
                 "expires", "debit", "credit", "debit_sequence", "credit_sequence", "debit_after", "credit_after", "unheld")

    def __init__(self, row):
        self.id, self.group, position, size, kind, self.target, keep_open = row[:7]
        self.position, self.size, self.kind, self.keep_open = int(position), int(size), int(kind), keep_open == "t"
        self.amount, self.moved, self.currency = int(row[7]), int(row[8]), row[9]
        self.created, self.expires = int(row[10]), int(row[11]) if row[11] else None
        self.debit, self.debit_sequence, self.debit_after = row[12], int(row[13]), Totals(*map(int, row[14:18]))
        self.credit, self.credit_sequence, self.credit_after = row[18], int(row[19]), Totals(*map(int, row[20:24]))
        self.unheld = 0  # what a hold's taker takes out of the pending totals


def number(text):
    return int(text) if text else None


class Walk:
    """One ledger: `wrong` is what was found; `entries` are (group, ...) of each account by sequence."""

    def __init__(self, ledger_id):
        self.ledger_id = ledger_id
        self.wrong = []
        self.accounts = {row[0]: Account(row[0], row[1], int(row[2]), number(row[3]), number(row[4]), int(row[5]),
                                         int(row[6]), Totals(*map(int, row[7:11])))
                         for row in self.rows("""accounts""", """account_id, currency, normal_side, lower_limit_minor,
                             upper_limit_minor, credit_line_minor, sequence, debits_posted_minor, credits_posted_minor,
                             debits_pending_minor, credits_pending_minor""")}
        self.transfers = {row[0]: Transfer(row) for row in self.rows("transfers", COLUMNS)}
        self.entries = {account: {} for account in self.accounts}
        self.gather()
        self.walk_groups()
        self.walk_holds()
        self.walk_reversals()
        for account in self.accounts.values():
            self.walk_account(account)
        self.check_sums()

    def rows(self, table, columns):
        return environment.sql("accounts", f"SELECT {columns} FROM {table} WHERE ledger_id = '{self.ledger_id}'")

    def say(self, what):
        if len(self.wrong) < SHOWN_MAX:
            self.wrong.append(f"ledger {self.ledger_id}: {what}")

    def gather(self):
        for transfer in self.transfers.values():
            for account, sequence in ((transfer.debit, transfer.debit_sequence), (transfer.credit, transfer.credit_sequence)):
                if sequence in self.entries[account]:
                    self.say(f"account {account} has two entries {sequence}")
                self.entries[account][sequence] = transfer
            for account in (transfer.debit, transfer.credit):
                if self.accounts[account].currency != transfer.currency:
                    self.say(f"transfer {transfer.id} is in another currency than account {account}")

    def walk_groups(self):
        """Wholly there, in one moment, at the places that the accounts' sequences give."""
        groups = collections.defaultdict(list)
        for transfer in self.transfers.values():
            groups[transfer.group].append(transfer)
        self.groups = {group: sorted(transfers, key=lambda transfer: transfer.position)
                       for group, transfers in groups.items()}
        for group, transfers in self.groups.items():
            if [transfer.position for transfer in transfers] != list(range(transfers[0].size)):
                self.say(f"group {group} is not wholly there")
            if len({(transfer.size, transfer.created) for transfer in transfers}) != 1 or transfers[0].id != group:
                self.say(f"group {group} does not agree with itself")

    def walk_holds(self):
        takers = collections.defaultdict(list)
        for transfer in self.transfers.values():
            if transfer.kind in ENDS:
                takers[transfer.target].append(transfer)
        stored = {row[0]: (int(row[1]), int(row[2])) for row in self.rows("holds", "hold_id, captured_minor, state")}
        for hold in self.transfers.values():
            if hold.kind == HOLD:
                self.walk_hold(hold, sorted(takers.pop(hold.id, []), key=lambda taker: taker.debit_sequence),
                               stored.pop(hold.id, None))
        for hold in takers:
            self.say(f"what was no hold was captured or ended: {hold}")
        for hold in stored:
            self.say(f"hold {hold} is on record without its transfer")

    def walk_hold(self, hold, takers, stored):
        left, captured, state = hold.amount, 0, PENDING
        for taker in takers:
            if state != PENDING:
                self.say(f"hold {hold.id} had ended before transfer {taker.id}")
            if (taker.debit, taker.credit) != (hold.debit, hold.credit) or taker.debit_sequence <= hold.debit_sequence:
                self.say(f"transfer {taker.id} does not follow hold {hold.id}")
            if hold.expires is not None and (taker.created >= hold.expires) != (taker.kind == EXPIRY):
                self.say(f"transfer {taker.id} is on the wrong side of the expiry of hold {hold.id}")
            if hold.expires is None and taker.kind == EXPIRY:
                self.say(f"hold {hold.id} expired and was not to")
            kept = taker.kind == CAPTURE and taker.keep_open and taker.moved < left
            taker.unheld = taker.moved if kept else left
            if not 0 < taker.moved <= left or (taker.kind != CAPTURE and taker.moved != left):
                self.say(f"transfer {taker.id} took {taker.moved} of {left} that hold {hold.id} had")
            captured += taker.moved if taker.kind == CAPTURE else 0
            left -= taker.unheld
            state = PENDING if kept else ENDS[taker.kind]
        if stored != (captured, state):
            self.say(f"hold {hold.id} is on record as {stored}, and is {(captured, state)}")

    def walk_reversals(self):
        reversed_minor = collections.Counter()
        for transfer in self.transfers.values():
            if transfer.kind != REVERSAL:
                continue
            original = self.transfers.get(transfer.target)
            if (original is None or original.kind not in (DIRECT, BALANCING, CAPTURE)
                    or (original.credit, original.debit) != (transfer.debit, transfer.credit)
                    or original.debit_sequence >= transfer.credit_sequence):
                self.say(f"transfer {transfer.id} reverses what it can't")
                continue
            reversed_minor[original.id] += transfer.moved
        for original, amount in reversed_minor.items():
            if amount > self.transfers[original].moved:
                self.say(f"more of transfer {original} was reversed than it moved")
        stored = {row[0]: int(row[1]) for row in self.rows("reversed", "original_id, reversed_minor")}
        if stored != dict(reversed_minor):
            self.say("what was reversed is not what is on record")

    def change(self, transfer, before, is_debit):
        """The account's totals after one more entry."""
        posted, pending = (0, 2) if is_debit else (1, 3)
        totals = list(before)
        if transfer.kind in (DIRECT, CAPTURE, BALANCING, REVERSAL):
            totals[posted] += transfer.moved
        if transfer.kind == HOLD:
            totals[pending] += transfer.moved
        totals[pending] -= transfer.unheld
        return Totals(*totals)

    def walk_account(self, account):
        entries, totals, time = self.entries[account.id], ZERO, 0
        if sorted(entries) != list(range(1, len(entries) + 1)) or len(entries) != account.sequence:
            self.say(f"account {account.id} has {len(entries)} entries up to {max(entries, default=0)},"
                     f" and its sequence is {account.sequence}")
            return
        for sequence in range(1, len(entries) + 1):
            transfer = entries[sequence]
            is_debit = transfer.debit == account.id
            totals = self.change(transfer, totals, is_debit)
            after = transfer.debit_after if is_debit else transfer.credit_after
            if totals != after:
                self.say(f"account {account.id}, entry {sequence}: {after} on record, {totals} by all before it")
                totals = after
            if transfer.created < time:
                self.say(f"account {account.id}, entry {sequence}: before the one before it")
            time = transfer.created
            self.check_limits(account, sequence, totals)
        if totals != account.totals:
            self.say(f"account {account.id} has {account.totals}, and its last entry {totals}")

    def check_limits(self, account, sequence, totals):
        debits, credits = totals.debits_posted, totals.credits_posted
        if account.side == DEBIT_NORMAL:
            least, most = debits - credits - totals.credits_pending, debits + totals.debits_pending - credits
        else:
            least, most = credits - debits - totals.debits_pending, credits + totals.credits_pending - debits
        if min(totals) < 0:
            self.say(f"account {account.id}, entry {sequence}: a negative total")
        if account.lower is not None and least < account.lower - account.line:
            self.say(f"account {account.id}, entry {sequence}: {least} is below its limit {account.lower - account.line}")
        if account.upper is not None and most > account.upper:
            self.say(f"account {account.id}, entry {sequence}: {most} is above its limit {account.upper}")

    def check_sums(self):
        sums = collections.defaultdict(lambda: [0, 0])
        for account in self.accounts.values():
            totals = account.totals
            sums[account.currency][0] += totals.debits_posted - totals.credits_posted
            sums[account.currency][1] += totals.debits_pending - totals.credits_pending
        for currency, (posted, pending) in sums.items():
            if posted != 0 or pending != 0:
                self.say(f"{currency} does not sum up to zero: {posted} posted, {pending} pending")

    def check_order(self, sent, answered):
        """What was answered before something else was asked comes before it in every account: walked from the last entry
        back, no earlier one was asked after a later one was answered."""
        for account, entries in self.entries.items():
            first_answered = float("inf")
            for sequence in range(len(entries), 0, -1):
                group = entries[sequence].group
                if group in sent and sent[group] > first_answered:
                    self.say(f"account {account}, entry {sequence}: comes before what was answered before it was asked")
                if answered.get(group):
                    first_answered = min(first_answered, answered[group])
