"""accounts through its wire: holds that expire and are captured in parts, balancing, reversals, statuses, credit lines."""

import concurrent.futures
import datetime
import re
import time
import unittest

from support import environment
from support.cases import Case, having
from support.client import PATIENCE
from support.contracts import accounts as a
from support.replicas import Replica
from support.world import Ledger, derived, new_account, new_id, operator_token

INT64_MAX = (1 << 63) - 1

SOON_S = 2 * PATIENCE  # until a hold of these tests expires: time enough for what is to come before


def soon(more_s=0.0):
    return moment(SOON_S + more_s)


def moment(seconds):
    """That many seconds from now."""
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


def eventually(condition):
    """Once the time of holds has come, and 15 s for the ledger to act on it."""
    environment.wait_until(condition, SOON_S + 15, "what was to come about")


class Kinds(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.clearing = self.ledger.clearing["EUR"]
        self.wallet = self.ledger.wallet("anna", 1000)
        self.other = self.ledger.wallet("bert")

    def make(self, debit, credit, amount_minor, kind, expires=None, **fields):
        transfer = self.ledger.transfer(debit, credit, amount_minor, kind=kind)
        for name, value in fields.items():
            setattr(getattr(transfer, kind), name, value)
        if expires is not None:
            transfer.hold.expire_time.FromDatetime(expires)
        return transfer

    def hold(self, amount_minor=600, expires=None):
        transfer = self.make(self.wallet, self.other, amount_minor, "hold", expires)
        self.posted(self.ledger.post_group(transfer))
        return transfer

    def use(self, hold, kind, amount_minor=0, **fields):
        return self.ledger.post_group(self.make(hold.debit_account_id, hold.credit_account_id, amount_minor, kind,
                                                hold_id=hold.transfer_id, **fields))

    def reverse(self, original, amount_minor, **fields):
        transfer = self.make(original.credit_account_id, original.debit_account_id, amount_minor, "reversal",
                             original_id=original.transfer_id)
        having(**fields)(transfer)
        return self.ledger.post_group(transfer)

    def read(self, transfer):
        return self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id=transfer.transfer_id)

    def money(self, account_id):
        balances = self.ledger.balances(account_id)
        return balances.posted_minor, balances.available_minor

    def posted(self, outcome):
        self.assertEqual(outcome.WhichOneof("result"), "posted", outcome)
        return outcome.posted.transfers[0]

    def declined(self, outcome, reason, field=None):
        self.assertEqual(outcome.WhichOneof("result"), "decline", outcome)
        self.assertEqual(outcome.decline.reason, reason)
        if field is not None:
            self.assertEqual(outcome.decline.field, f"transfers[0].{field}")


class Parts(Kinds):
    def test_captures_in_parts(self):
        hold = self.hold()
        first = self.posted(self.use(hold, "capture", 100, keep_open=True))
        self.assertTrue(first.transfer.capture.keep_open)
        self.assertEqual(first.moved_minor, 100)
        self.assertEqual((self.money(self.wallet), self.money(self.other)), ((900, 400), (100, 100)))
        read = self.read(hold)
        self.assertEqual((read.hold_state, read.captured_minor), (a.HOLD_STATE_PENDING, 100))
        self.declined(self.use(hold, "capture", 501, keep_open=True), "CAPTURE_EXCEEDS_HOLD", "amount_minor")
        self.posted(self.use(hold, "capture", 200))
        self.assertEqual(self.money(self.wallet), (700, 700))
        read = self.read(hold)
        self.assertEqual((read.hold_state, read.captured_minor), (a.HOLD_STATE_CAPTURED, 300))
        self.declined(self.use(hold, "capture", 1, keep_open=True), "ALREADY_CAPTURED")

    def test_the_last_part_ends_it(self):
        hold = self.hold()
        self.posted(self.use(hold, "capture", 350, keep_open=True))
        self.posted(self.use(hold, "capture", 250, keep_open=True))
        self.assertEqual(self.read(hold).hold_state, a.HOLD_STATE_CAPTURED)
        self.declined(self.use(hold, "release"), "ALREADY_CAPTURED")

    def test_release_says_what_was_left(self):
        hold = self.hold()
        self.posted(self.use(hold, "capture", 150, keep_open=True))
        self.assertEqual(self.posted(self.use(hold, "release")).moved_minor, 450)
        read = self.read(hold)
        self.assertEqual((read.hold_state, read.captured_minor), (a.HOLD_STATE_RELEASED, 150))
        self.assertEqual(self.money(self.wallet), (850, 850))

    def test_parts_that_race_do_not_pass_the_hold(self):
        hold = self.hold()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(lambda _: self.use(hold, "capture", 100, keep_open=True).WhichOneof("result"),
                                     range(20)))
        self.assertEqual(outcomes.count("posted"), 6)
        self.assertEqual((self.money(self.wallet), self.money(self.other)), ((400, 400), (600, 600)))

    def test_keep_open_is_part_of_the_content(self):
        hold = self.hold()
        capture = self.make(self.wallet, self.other, 10, "capture", hold_id=hold.transfer_id)
        self.posted(self.ledger.post_group(capture))
        capture.capture.keep_open = True
        with self.mismatch():
            self.ledger.post_group(capture)


class Expiry(Kinds):
    def entries(self):
        return [entry.transfer for entry in self.ledger.statement(self.wallet)]

    def test_expires_by_itself_and_once(self):
        holds = [self.hold(100, soon()) for _ in range(3)]
        never = self.hold(50)
        later = self.hold(50, moment(3600))
        self.posted(self.use(holds[0], "capture", 30, keep_open=True))
        eventually(lambda: all(self.read(hold).hold_state == a.HOLD_STATE_EXPIRED for hold in holds))
        time.sleep(0.5)
        self.assertEqual(self.money(self.wallet), (970, 870))
        self.assertEqual(self.money(self.other), (30, 30))
        expiries = [entry for entry in self.entries() if entry.WhichOneof("kind") == "expiry"]
        self.assertEqual(sorted(entry.expiry.hold_id for entry in expiries),
                         sorted(hold.transfer_id for hold in holds))
        self.assertEqual(sorted(self.read(entry).transfer.moved_minor for entry in expiries), [70, 100, 100])
        self.assertEqual([entry.sequence for entry in self.ledger.statement(self.wallet)], list(range(1, 11)))
        for hold in (never, later):
            self.assertEqual(self.read(hold).hold_state, a.HOLD_STATE_PENDING)
        for kind, amount in (("capture", 1), ("release", 0)):
            self.declined(self.use(holds[1], kind, amount), "HOLD_EXPIRED", f"{kind}.hold_id")
        self.assertTrue(self.ledger.trial_balance().balanced)

    def spoil(self, account, column, value):
        environment.sql("accounts", f"UPDATE accounts SET {column} = {value} WHERE account_id = '{account}'")

    def test_holds_that_can_not_expire_keep_no_others(self):
        """More of them, and longer due, than a sweep asks for at once, of accounts that only somebody else can spoil: of one no
        posting can be written, and of the other the ledger itself refuses to."""
        due, count = soon(), 260
        refusing = self.ledger.wallet("dora", 1000)
        spoiled = [self.make(account, self.other, 1, "hold", due) for account in (refusing, self.wallet) for _ in range(count)]
        batch = self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=[a.Group(transfers=[one]) for one in spoiled])
        for outcome in batch.outcomes:
            self.posted(outcome)
        sound = self.ledger.wallet("carl", 1000)
        self.posted(self.ledger.post_group(self.make(sound, self.other, 100, "hold", due + datetime.timedelta(seconds=0.5))))
        self.spoil(self.wallet, "sequence", 1)
        self.spoil(refusing, "debits_pending_minor", 0)
        eventually(lambda: self.money(sound) == (1000, 1000))
        self.assertEqual({self.read(one).hold_state for one in spoiled[::50]}, {a.HOLD_STATE_PENDING})
        self.spoil(self.wallet, "sequence", count + 1)
        self.spoil(refusing, "debits_pending_minor", count)

    def test_a_replica_whose_clock_is_ahead(self):
        """It ends no hold early, captures what stands, and makes holds for less time than it is ahead."""
        self.takes_a_library_in()
        swept, captured = (self.hold(100, moment(120)) for _ in range(2))
        replica = Replica("accounts", EXPIRY_INTERVAL_MS=50)
        replica.set_clock_ahead(600)
        with replica:
            stub = replica.stub("operator", operator_token())
            capture = self.make(self.wallet, self.other, 100, "capture", hold_id=captured.transfer_id)
            posted = self.posted(stub.Post(ledger_id=self.ledger.id, group=a.Group(transfers=[capture])).outcome)
            created = posted.create_time.ToDatetime(datetime.timezone.utc)
            self.assertLess(created, moment(60))
            made = self.make(self.wallet, self.other, 100, "hold", moment(120))
            self.posted(stub.Post(ledger_id=self.ledger.id, group=a.Group(transfers=[made])).outcome)
            time.sleep(1)  # some sweeps of its own
            logged = [line["time"] for line in replica.log("listening")]
            self.assertGreater(datetime.datetime.fromisoformat(logged[0].replace("Z", "+00:00")), moment(300))
        for hold in (swept, made):
            self.posted(self.use(hold, "capture", 100))

    def test_captured_or_released_holds_do_not_expire(self):
        captured, released = self.hold(100, soon()), self.hold(100, soon())
        self.posted(self.use(captured, "capture", 60))
        self.posted(self.use(released, "release"))
        time.sleep(SOON_S + 1)
        self.assertEqual(self.read(captured).hold_state, a.HOLD_STATE_CAPTURED)
        self.assertEqual(self.read(released).hold_state, a.HOLD_STATE_RELEASED)
        self.assertNotIn("expiry", [entry.WhichOneof("kind") for entry in self.entries()])

    def test_a_capture_that_races_has_one_winner(self):
        holds = [self.hold(10, soon(0.01 * i)) for i in range(40)]

        def capture(hold):
            due = hold.hold.expire_time.ToDatetime(datetime.timezone.utc)
            time.sleep(max(0.0, (due - moment(0)).total_seconds()))
            return self.use(hold, "capture", 10)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(capture, holds))
        states = (a.HOLD_STATE_CAPTURED, a.HOLD_STATE_EXPIRED)
        eventually(lambda: all(self.read(hold).hold_state in states for hold in holds))
        won = 0
        for hold, outcome in zip(holds, outcomes):
            captured = self.read(hold).hold_state == a.HOLD_STATE_CAPTURED
            self.assertEqual(outcome.WhichOneof("result") == "posted", captured)
            if not captured:
                self.declined(outcome, "HOLD_EXPIRED")
            won += captured
        self.assertEqual(self.money(self.wallet), (1000 - 10 * won, 1000 - 10 * won))
        self.assertEqual(self.money(self.other), (10 * won, 10 * won))

    def test_a_clock_that_was_ahead_ends_no_hold_early(self):
        """Whoever posted with it left its time on the accounts that it touched."""
        before = self.hold(100, moment(600))
        environment.sql("accounts", f"UPDATE accounts SET last_entry = now() + interval '1 day' "
                                    f"WHERE account_id = '{self.wallet}'")
        during = self.hold(50, moment(600))
        for hold in (before, during):
            self.posted(self.use(hold, "capture", 20, keep_open=True))
            self.assertEqual(self.read(hold).hold_state, a.HOLD_STATE_PENDING)
        short = self.hold(30, soon())
        eventually(lambda: self.read(short).hold_state == a.HOLD_STATE_EXPIRED)
        times = [entry.create_time.ToMicroseconds() for entry in self.ledger.statement(self.wallet)]
        self.assertEqual(times, sorted(times))

    def test_repeat_after_the_expiry_is_the_first_outcome(self):
        transfer = self.make(self.wallet, self.other, 5, "hold", soon())
        first = self.ledger.post_group(transfer)
        eventually(lambda: self.read(transfer).hold_state == a.HOLD_STATE_EXPIRED)
        again = self.ledger.post_group(transfer)
        self.assertTrue(again.replayed)
        self.assertEqual(again.posted, first.posted)
        self.assertEqual(again.posted.transfers[0].transfer.hold.expire_time, transfer.hold.expire_time)

    def test_an_id_that_was_taken_before_does_not_keep_a_hold(self):
        """Whoever knows how the id of an expiry is derived can use it up; the hold ends all the same."""
        hold = self.hold(5, soon())
        for number in range(2):
            self.posted(self.ledger.post(self.wallet, self.other, 1,
                                         transfer_id=derived(hold.transfer_id, f"expiry {number}")))
        declined = self.ledger.post(self.wallet, self.other, 5000,
                                    transfer_id=derived(hold.transfer_id, "expiry 2"))
        self.declined(declined, "INSUFFICIENT_FUNDS")
        eventually(lambda: self.read(hold).hold_state == a.HOLD_STATE_EXPIRED)
        expiries = [entry for entry in self.entries() if entry.WhichOneof("kind") == "expiry"]
        self.assertEqual([entry.transfer_id for entry in expiries], [derived(hold.transfer_id, "expiry 3")])

    def test_many_at_once(self):
        due = soon()
        wallet = self.ledger.wallet("rich", 10000)
        groups = [a.Group(transfers=[self.make(wallet, self.other, 1, "hold", due)]) for _ in range(900)]
        self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=groups)
        self.assertEqual(self.money(wallet), (10000, 9100))
        eventually(lambda: self.money(wallet) == (10000, 10000))

    def test_bad_times(self):
        good = a.PostRequest(ledger_id=self.ledger.id,
                             group=a.Group(transfers=[self.make(self.wallet, self.other, 1, "hold", moment(60))]))

        def expires(when=None, **fields):
            def change(request):
                time_ = request.group.transfers[0].hold.expire_time
                if when is not None:
                    time_.FromDatetime(when)
                having(**fields)(time_)
            return change

        field = "group.transfers[0].hold.expire_time"
        with self.nothing_written("accounts"):
            self.check_bad_input(self.ledger.accounts, "Post", good, [
                (expires(moment(-1)), "INVALID_FIELD", field),
                (expires(datetime.datetime(1970, 1, 1)), "INVALID_FIELD", field),
                (expires(datetime.datetime(1, 1, 1)), "INVALID_FIELD", field),
                (expires(moment(11 * 365 * 86400)), "INVALID_FIELD", field),
                (expires(nanos=-1), "INVALID_FIELD", field),
                (expires(nanos=1000000000), "INVALID_FIELD", field),
                (expires(seconds=INT64_MAX), "INVALID_FIELD", field),
            ])
            late = self.make(self.wallet, self.other, 1, "hold", moment(-1))
            outcomes = self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=[
                a.Group(transfers=[late])]).outcomes
            self.assertEqual((outcomes[0].refusal.reason, outcomes[0].refusal.field),
                             ("INVALID_FIELD", "groups[0].transfers[0].hold.expire_time"))
            self.assertIn("transfers[0].hold.expire_time", outcomes[0].refusal.message)


class Balancing(Kinds):
    def balance(self, most, debit=None):
        return self.ledger.post_group(self.make(debit or self.wallet, self.other, most, "balancing"))

    def test_as_much_as_there_is(self):
        self.hold(100)
        first = self.posted(self.balance(250))
        self.assertEqual((first.moved_minor, first.transfer.amount_minor), (250, 250))
        rest = self.posted(self.balance(INT64_MAX))
        self.assertEqual((rest.moved_minor, rest.transfer.amount_minor), (650, INT64_MAX))
        self.assertEqual((self.money(self.wallet), self.money(self.other)), ((100, 0), (900, 900)))
        self.declined(self.balance(1), "INSUFFICIENT_FUNDS")
        self.assertEqual(self.read(rest.transfer).transfer, rest)

    def test_repeat_moves_nothing_more(self):
        transfer = self.make(self.wallet, self.other, 700, "balancing")
        first = self.ledger.post_group(transfer)
        again = self.ledger.post_group(transfer)
        self.assertTrue(again.replayed)
        self.assertEqual(again.posted, first.posted)
        self.assertEqual(self.money(self.wallet), (300, 300))

    def test_races_share_what_there_is(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: self.balance(150), range(16)))
        moved = [outcome.posted.transfers[0].moved_minor for outcome in outcomes
                 if outcome.WhichOneof("result") == "posted"]
        self.assertEqual(sorted(moved), [100] + 6 * [150])
        self.assertEqual(self.money(self.wallet), (0, 0))


class Reversals(Kinds):
    def direct(self, amount_minor=300):
        return self.posted(self.ledger.post(self.wallet, self.other, amount_minor)).transfer

    def test_in_parts_and_never_more(self):
        original = self.direct()
        self.declined(self.reverse(original, 301), "REVERSAL_EXCEEDS_ORIGINAL", "amount_minor")
        part = self.posted(self.reverse(original, 200))
        self.assertEqual(part.transfer.reversal.original_id, original.transfer_id)
        self.assertEqual((self.money(self.wallet), self.money(self.other)), ((900, 900), (100, 100)))
        self.assertEqual(self.read(original).reversed_minor, 200)
        self.declined(self.reverse(original, 101), "REVERSAL_EXCEEDS_ORIGINAL")
        self.posted(self.reverse(original, 100))
        self.assertEqual(self.read(original).reversed_minor, 300)
        self.declined(self.reverse(original, 1), "REVERSAL_EXCEEDS_ORIGINAL")
        self.declined(self.reverse(part.transfer, 1), "NOT_REVERSIBLE", "reversal.original_id")

    def test_mistaken(self):
        original = self.direct()
        self.declined(self.reverse(original, 1, debit_account_id=self.wallet, credit_account_id=self.other),
                      "REVERSAL_MISMATCH")
        self.declined(self.reverse(original, 1, credit_account_id=self.clearing), "REVERSAL_MISMATCH", "reversal.original_id")
        self.declined(self.reverse(original, 1, reversal__original_id=new_id()), "TRANSFER_NOT_FOUND",
                      "reversal.original_id")
        self.declined(self.reverse(self.hold(), 1), "NOT_REVERSIBLE", "reversal.original_id")
        elsewhere = Ledger()
        outcome = elsewhere.post(elsewhere.clearing["EUR"], elsewhere.wallet("x"), 5)
        foreign = outcome.posted.transfers[0].transfer.transfer_id
        self.declined(self.reverse(original, 1, reversal__original_id=foreign), "TRANSFER_NOT_FOUND")

    def test_of_a_capture_and_a_balancing_transfer(self):
        hold = self.hold(100)
        capture = self.posted(self.use(hold, "capture", 60)).transfer
        self.posted(self.reverse(capture, 60))
        balancing = self.posted(self.ledger.post_group(
            self.make(self.wallet, self.other, 5000, "balancing"))).transfer
        self.declined(self.reverse(balancing, 1001), "REVERSAL_EXCEEDS_ORIGINAL")
        self.posted(self.reverse(balancing, 1000))
        self.assertEqual(self.money(self.wallet), (1000, 1000))

    def test_races_never_pass_the_original(self):
        original = self.direct(500)
        self.posted(self.ledger.post(self.clearing, self.other, 5000))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: self.reverse(original, 100).WhichOneof("result"), range(16)))
        self.assertEqual(outcomes.count("posted"), 5)
        self.assertEqual(self.read(original).reversed_minor, 500)

    def test_in_the_group_of_its_original(self):
        transfer = self.ledger.transfer(self.wallet, self.other, 300)
        back = self.make(self.other, self.wallet, 120, "reversal", original_id=transfer.transfer_id)
        self.posted(self.ledger.post_group(transfer, back))
        self.assertEqual(self.read(transfer).reversed_minor, 120)

    def test_bad_input(self):
        good = a.PostRequest(ledger_id=self.ledger.id, group=a.Group(transfers=[
            self.make(self.wallet, self.other, 1, "reversal", original_id=new_id())]))

        def first(**fields):
            return lambda request: having(**fields)(request.group.transfers[0])

        where = "group.transfers[0]"
        with self.nothing_written("accounts"):
            self.check_bad_input(self.ledger.accounts, "Post", good, [
                (first(reversal__original_id=""), "INVALID_UUID", f"{where}.reversal.original_id"),
                (first(reversal__original_id="00000000-0000-0000-0000-000000000000"), "INVALID_UUID",
                 f"{where}.reversal.original_id"),
                (first(amount_minor=0), "INVALID_AMOUNT", f"{where}.amount_minor"),
                (first(expiry__hold_id=new_id()), "INVALID_FIELD", f"{where}.kind"),
            ])


class Statuses(Kinds):
    def set(self, account_id, **fields):
        key = {"ledger_id": self.ledger.id, "account_id": account_id}
        version = self.ledger.accounts.GetAccountMetadata(**key).metadata.version
        request = a.UpdateAccountRequest(expected_version=version, **key, **fields)
        request.update_mask.paths.extend(fields)
        return self.ledger.accounts.call("UpdateAccount", request).metadata

    def test_frozen(self):
        hold = self.hold(100)
        self.set(self.wallet, status=a.ACCOUNT_STATUS_FROZEN)
        for kind in ("direct", "hold", "balancing"):
            with self.subTest(kind=kind):
                self.declined(self.ledger.post(self.wallet, self.other, 1, kind=kind), "ACCOUNT_FROZEN")
        self.posted(self.ledger.post(self.clearing, self.wallet, 1))
        self.posted(self.use(hold, "capture", 40, keep_open=True))
        self.posted(self.use(hold, "release"))
        self.set(self.wallet, status=a.ACCOUNT_STATUS_ACTIVE)
        self.posted(self.ledger.post(self.wallet, self.other, 1))

    def test_blocked(self):
        hold = self.hold(100)
        self.set(self.wallet, status=a.ACCOUNT_STATUS_BLOCKED)
        self.declined(self.ledger.post(self.wallet, self.other, 1), "ACCOUNT_BLOCKED")
        self.declined(self.ledger.post(self.clearing, self.wallet, 1), "ACCOUNT_BLOCKED")
        self.declined(self.use(hold, "capture", 40), "ACCOUNT_BLOCKED")
        self.posted(self.use(hold, "release"))

    def test_holds_on_a_blocked_account_expire(self):
        hold = self.hold(100, soon())
        self.set(self.wallet, status=a.ACCOUNT_STATUS_BLOCKED)
        eventually(lambda: self.read(hold).hold_state == a.HOLD_STATE_EXPIRED)

    def test_closed(self):
        self.set(self.other, status=a.ACCOUNT_STATUS_CLOSED)
        self.declined(self.ledger.post(self.wallet, self.other, 1), "ACCOUNT_CLOSED")

    def test_each_decline_names_its_field_and_changes_nothing(self):
        """Every reason that there is."""
        of = self.ledger.open
        dollars, capped, (frozen, blocked, closed) = of("anna", "USD"), of("cap", upper=50), (of("anna") for _ in range(3))
        expired = self.hold(1, soon())
        pending, captured, released = (self.hold(10) for _ in range(3))
        self.posted(self.use(captured, "capture", 10))
        self.posted(self.use(released, "release"))
        original = self.ledger.transfer(self.wallet, self.other, 10)
        self.posted(self.ledger.post_group(original))
        reversal = self.posted(self.reverse(original, 5)).transfer
        full, brimming = of("bank"), of("bank")
        self.posted(self.ledger.post(full, brimming, INT64_MAX))
        for account_id, status in ((frozen, "FROZEN"), (blocked, "BLOCKED"), (closed, "CLOSED")):
            self.set(account_id, status=getattr(a, f"ACCOUNT_STATUS_{status}"))
        elsewhere, post = Ledger(()).open("anna"), self.ledger.post
        eventually(lambda: self.read(expired).hold_state == a.HOLD_STATE_EXPIRED)
        rows = (
            ("INSUFFICIENT_FUNDS", "amount_minor", lambda: post(self.wallet, self.other, 1001)),
            ("LIMIT_EXCEEDED", "amount_minor", lambda: post(self.wallet, capped, 51)),
            ("BALANCE_OVERFLOW", "amount_minor", lambda: post(full, brimming, 1)),
            ("ACCOUNT_NOT_FOUND", "debit_account_id", lambda: post(new_id(), self.other, 1)),
            ("ACCOUNT_NOT_FOUND", "credit_account_id", lambda: post(self.wallet, elsewhere, 1)),
            *((f"ACCOUNT_{status}", "debit_account_id", lambda account_id=account_id: post(account_id, self.other, 1))
              for status, account_id in (("FROZEN", frozen), ("BLOCKED", blocked), ("CLOSED", closed))),
            *((f"ACCOUNT_{status}", "credit_account_id", lambda account_id=account_id: post(self.wallet, account_id, 1))
              for status, account_id in (("BLOCKED", blocked), ("CLOSED", closed))),
            ("CURRENCY_MISMATCH", "currency", lambda: post(self.wallet, dollars, 1)),
            ("CURRENCY_MISMATCH", "currency", lambda: post(self.wallet, self.other, 1, "USD")),
            ("HOLD_NOT_FOUND", "capture.hold_id", lambda: self.use(original, "capture", 1)),
            ("HOLD_MISMATCH", "capture.hold_id",
             lambda: post(self.wallet, capped, 1, kind="capture", hold_id=pending.transfer_id)),
            ("HOLD_EXPIRED", "capture.hold_id", lambda: self.use(expired, "capture", 1)),
            ("ALREADY_CAPTURED", "capture.hold_id", lambda: self.use(captured, "capture", 1)),
            ("ALREADY_RELEASED", "release.hold_id", lambda: self.use(released, "release")),
            ("CAPTURE_EXCEEDS_HOLD", "amount_minor", lambda: self.use(pending, "capture", 11)),
            ("TRANSFER_NOT_FOUND", "reversal.original_id",
             lambda: self.reverse(original, 1, reversal__original_id=new_id())),
            ("NOT_REVERSIBLE", "reversal.original_id", lambda: self.reverse(reversal, 1)),
            ("REVERSAL_MISMATCH", "reversal.original_id", lambda: self.reverse(original, 1, credit_account_id=capped)),
            ("REVERSAL_EXCEEDS_ORIGINAL", "amount_minor", lambda: self.reverse(original, 6)),
        )
        with self.nothing_written("accounts", but=("declines",)):
            for reason, field, ask in rows:
                with self.subTest(reason=reason, field=field):
                    self.declined(ask(), reason, field)
        known = environment.sql_value("accounts", "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                                                  "WHERE conname = 'declines_reason'")
        self.assertEqual({reason for reason, _, _ in rows}, set(re.findall(r"'(\w+)'", known)))

    def test_credit_line(self):
        account = new_account("anna", lower=0)
        account.credit_line_minor = 50
        self.ledger.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[account])
        self.declined(self.ledger.post(account.account_id, self.other, 51), "INSUFFICIENT_FUNDS")
        self.posted(self.ledger.post(account.account_id, self.other, 50))
        self.assertEqual(self.money(account.account_id), (-50, -50))
        self.declined(self.ledger.post(account.account_id, self.other, 1, kind="balancing"), "INSUFFICIENT_FUNDS")
        good = a.CreateAccountsRequest(ledger_id=self.ledger.id, accounts=[new_account("anna", lower=0)])
        with self.nothing_written("accounts"):
            self.check_bad_input(self.ledger.accounts, "CreateAccounts", good, [
                (lambda request: having(credit_line_minor=-1)(request.accounts[0]), "INVALID_AMOUNT",
                 "accounts[0].credit_line_minor"),
            ])

    def test_append_only_by_role(self):
        self.posted(self.ledger.post(self.wallet, self.other, 1))
        rights = dict(environment.sql("accounts", """
            SELECT t || ' ' || p, has_table_privilege('accounts_service', t, p)::text
            FROM unnest(ARRAY['transfers', 'declines']) AS t, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS p"""))
        self.assertEqual(set(rights.values()), {"false"}, rights)
        columns = environment.sql("accounts", """
            SELECT attname, 'x' FROM pg_attribute WHERE attrelid = 'transfers'::regclass AND attnum > 0
            AND has_column_privilege('accounts_service', 'transfers', attname, 'UPDATE')""")
        self.assertEqual(columns, [])


if __name__ == "__main__":
    unittest.main()
