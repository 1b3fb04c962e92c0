"""Databases of earlier schema versions, filled, migrated by today's program and used on.

The rows are those that today's services write for what that version could do, put into its columns, and hashed as it did.
"""

import copy
import datetime
import hashlib
import uuid

import grpc

from support import environment, world
from support.cases import Case
from support.client import PATIENCE
from support.contracts import accounts as a
from support.contracts import payments as p
from support.older import OldDatabase, migrations
from support.world import Ledger, Market, deposit, derived, internal, new_account, new_id, request, state, withdrawal


def again(message, **changes):
    """A copy of it with other fields."""
    result = type(message)()
    result.CopyFrom(message)
    for name, value in changes.items():
        setattr(result, name, value)
    return result


def earlier(service, *alike):
    """Numbers of its earlier versions, without those that differ from the next by an index or a constraint alone."""
    return [version for version in range(1, len(migrations(service))) if version not in alike]


class Users(Case):
    def test_every_version(self):
        player = world.person()
        columns = ("user_id", "username", "role", "password_hash", "created_at")
        row = environment.sql("auth", f"SELECT {', '.join(columns)} FROM users WHERE user_id = '{player.user_id}'")[0]
        values = ", ".join(f"'{value}'" for value in row)
        for version in earlier("auth"):
            with self.subTest(version=version):
                database = OldDatabase("auth", version)
                database.run(f"INSERT INTO users ({', '.join(columns)}) VALUES ({values});")
                database.migrate()
                with database.replica() as replica:
                    reply = replica.stub("gateway").LogIn(username=player.username, password=player.password)
                    self.assertEqual(reply.user.user_id, player.user_id)
                    with self.refused(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIALS"):
                        replica.stub("gateway").LogIn(username=player.username, password=player.password + "x")


class Past(Ledger):
    """A ledger that remembers what was asked of it, and what the answers were."""

    def __init__(self):
        self.asked = []  # (method, request, response)
        self.ids = []
        super().__init__()
        self.wallet_id = self.wallet("anna", 1000)
        self.other_id = self.wallet("bert")
        self.fill()
        self.seen = self.reading()

    def ask(self, method, asked):
        reply = self.accounts.call(method, asked)
        self.asked.append((method, asked, reply))
        return reply

    def open(self, owner="house", currency="EUR", **more):
        account = new_account(owner, currency, **more)
        self.ask("CreateAccounts", a.CreateAccountsRequest(ledger_id=self.id, accounts=[account]))
        self.ids.append(account.account_id)
        return account.account_id

    def post_group(self, *transfers):
        return self.ask("Post", a.PostRequest(ledger_id=self.id, group=a.Group(transfers=transfers))).outcome

    def move(self, amount_minor, kind="direct", credit=None, **fields):
        """A transfer out of the wallet by itself."""
        transfer = self.transfer(self.wallet_id, credit or self.other_id, amount_minor, kind=kind)
        for name, value in fields.items():
            setattr(getattr(transfer, kind), name, value)
        return transfer, self.post_group(transfer)

    def posted(self, *words, **fields):
        transfer, outcome = self.move(*words, **fields)
        assert outcome.WhichOneof("result") == "posted", outcome
        return transfer

    def declined(self, reason, *words, **fields):
        _, outcome = self.move(*words, **fields)
        assert outcome.decline.reason == reason, outcome

    def reading(self):
        """All that can be read of it."""
        transfers = {transfer.transfer_id: self.accounts.GetTransfer(ledger_id=self.id, transfer_id=transfer.transfer_id)
                     for method, asked, reply in self.asked if method == "Post" and reply.outcome.WhichOneof("result") == "posted"
                     for transfer in asked.group.transfers}
        accounts = self.accounts.GetAccounts(ledger_id=self.id, account_ids=self.ids)
        return accounts, {one: self.statement(one) for one in self.ids}, transfers, self.trial_balance()

    def through(self, stub):
        """The same ledger in another database; what is asked of it there is not remembered here."""
        other = copy.copy(self)
        other.accounts, other.asked, other.ids = stub, list(self.asked), list(self.ids)
        return other


class Plain(Past):
    """Direct transfers, holds, captures, releases; what was declined."""

    def fill(self):
        self.direct = self.posted(100)
        self.post_group(self.transfer(self.other_id, self.wallet_id, 10), self.transfer(self.wallet_id, self.other_id, 20),
                        self.transfer(self.clearing["EUR"], self.wallet_id, 30, reference="drei"))
        self.pending = self.posted(70, "hold")
        for amount_minor in (50, 20):
            self.posted(amount_minor, "capture", hold_id=self.posted(50, "hold").transfer_id)
        self.posted(0, "release", hold_id=self.posted(40, "hold").transfer_id)
        both = self.transfer(self.wallet_id, self.other_id, 15, kind="hold")
        self.post_group(both, self.transfer(self.wallet_id, self.other_id, 15, kind="capture", hold_id=both.transfer_id))
        self.declined("INSUFFICIENT_FUNDS", 100000)
        self.declined("ACCOUNT_NOT_FOUND", 1, credit=new_id())
        self.declined("HOLD_NOT_FOUND", 1, "capture", hold_id=new_id())
        self.declined("CAPTURE_EXCEEDS_HOLD", 71, "capture", hold_id=self.pending.transfer_id)
        outcome = self.post_group(self.transfer(self.wallet_id, self.other_id, 1),
                                  self.transfer(self.other_id, self.wallet_id, 100000))
        assert outcome.WhichOneof("result") == "decline", outcome

    def go_on(self):
        self.posted(60, "capture", hold_id=self.pending.transfer_id)
        transfer = self.transfer(self.direct.credit_account_id, self.direct.debit_account_id, 30, kind="reversal")
        transfer.reversal.original_id = self.direct.transfer_id
        assert self.post_group(transfer).WhichOneof("result") == "posted"
        self.declined("ALREADY_CAPTURED", 1, "capture", hold_id=self.pending.transfer_id)


class Whole(Past):
    """Statuses, credit lines, assets, holds that expire and are captured in parts, balancing, reversals."""

    def fill(self):
        self.ask("RegisterAsset", a.RegisterAssetRequest(ledger_id=self.id, code="GOLD", exponent=4))
        coins = [self.open("anna", "GOLD"), self.open("bert", "GOLD")]
        self.post(*coins, 12345, "GOLD")
        lent = new_account("carl", lower=0, upper=5000)
        lent.credit_line_minor = 500
        self.ask("CreateAccounts", a.CreateAccountsRequest(ledger_id=self.id, accounts=[lent]))
        self.ids.append(lent.account_id)
        self.post(lent.account_id, self.wallet_id, 400)
        self.posted(100000, "balancing")
        self.post(self.clearing["EUR"], self.wallet_id, 1000)
        direct = self.posted(100)
        self.reverse(direct, 60)
        assert self.reverse(direct, 60).decline.reason == "REVERSAL_EXCEEDS_ORIGINAL"
        self.reverse(self.posted(10), 10)
        self.parts = self.posted(300, "hold")
        self.posted(100, "capture", hold_id=self.parts.transfer_id, keep_open=True)
        expired = self.expiring(50, 0.3)
        self.expiring(20, 600)
        environment.wait_until(lambda: self.entries() == self.before + 1, 15, "the hold expires")
        self.declined("HOLD_EXPIRED", 1, "capture", hold_id=expired.transfer_id)

    def entries(self):
        return self.balances(self.wallet_id).sequence

    def expiring(self, amount_minor, seconds):
        transfer = self.transfer(self.wallet_id, self.other_id, amount_minor, kind="hold")
        transfer.hold.expire_time.FromDatetime(datetime.datetime.now(datetime.timezone.utc)
                                               + datetime.timedelta(seconds=seconds * PATIENCE))
        assert self.post_group(transfer).WhichOneof("result") == "posted"
        self.before = self.entries()
        return transfer

    def reverse(self, original, amount_minor):
        transfer = self.transfer(original.credit_account_id, original.debit_account_id, amount_minor, kind="reversal")
        transfer.reversal.original_id = original.transfer_id
        return self.post_group(transfer)

    def go_on(self):
        self.posted(200, "capture", hold_id=self.parts.transfer_id)


class Changed(Past):
    """Accounts that were changed."""

    def fill(self):
        self.change(self.wallet_id, 1, label="neu, ü")
        self.change(self.wallet_id, 2, status=a.ACCOUNT_STATUS_FROZEN)
        self.declined("ACCOUNT_FROZEN", 5)
        self.change(self.wallet_id, 3, status=a.ACCOUNT_STATUS_ACTIVE)
        self.change(self.wallet_id, 4, lower_limit=a.Limit(amount_minor=-50), credit_line_minor=70)
        self.posted(1100)
        self.change(self.open("dora"), 1, status=a.ACCOUNT_STATUS_CLOSED)

    def change(self, account_id, version, **fields):
        asked = a.UpdateAccountRequest(ledger_id=self.id, account_id=account_id, expected_version=version, **fields)
        asked.update_mask.paths.extend(fields)
        self.ask("UpdateAccount", asked)

    def go_on(self):
        self.change(self.other_id, 1, label="anders")
        self.posted(20)
        self.declined("INSUFFICIENT_FUNDS", 1)


class Accounts(Case):
    TABLES = ("ledgers", "assets", "accounts", "transfers", "holds", "declines", "reversed", "account_changes")

    def test_every_version(self):
        pasts = [Plain(), Whole(), Changed()]
        for version in earlier("accounts", 4):
            with self.subTest(version=version):
                self.upgrade(version, pasts[:version])

    def upgrade(self, version, pasts):
        database = OldDatabase("accounts", version)
        database.fill(self.TABLES, [past.id for past in pasts], self.as_it_was)
        database.migrate()
        with database.replica(REDIS="") as replica:
            for past in pasts:
                self.check(past, past.through(replica.stub("operator", world.operator_token())), version)

    @staticmethod
    def as_it_was(table, column, kind):
        if column == "group_hash" and kind == "bytea":
            return "decode(replace(group_hash::text, '-', ''), 'hex')" if table == "transfers" else column
        return "target_id" if (table, column) == ("transfers", "hold_id") else column

    def check(self, past, now, version):
        self.verify(now)
        self.assertEqual(now.reading(), past.seen)
        self.check_repeats(past, now, version)
        self.assertEqual(now.reading(), past.seen)
        now.go_on()
        self.verify(now)
        self.assertTrue(now.trial_balance().balanced)

    def verify(self, ledger):
        replies = list(ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=ledger.id)))
        self.assertEqual([found for reply in replies for found in reply.discrepancies], [])
        self.assertTrue(replies[-1].complete and replies[-1].transfer_count > 0)

    def check_repeats(self, past, now, version):
        """What was asked before the upgrade has its first outcome, and nothing else is taken for it."""
        for method, asked, reply in past.asked:
            repeat = now.accounts.call(method, asked)
            if method != "Post":
                self.assertTrue(repeat.replayed, asked)
                continue
            first = again(reply)
            first.outcome.replayed = True
            if version < 8 and first.outcome.decline.field.endswith("_account_id"):
                first.outcome.decline.field = "transfers[0]"  # which of the accounts was not on record
            self.assertEqual(repeat, first)
            other = again(asked)
            other.group.transfers[0].reference += "!"
            with self.mismatch():
                now.accounts.call(method, other)


def first_hash(made):
    """Of a request, as payments hashed it before there were fees and more kinds."""
    kind = made.WhichOneof("kind")
    body = getattr(made, kind)
    account, counter = (body.from_account_id, body.to_account_id) if kind == "transfer" else (body.account_id, None)
    connector, instrument = ("", "") if kind == "transfer" else (body.connector, body.instrument)
    digest = hashlib.sha256()

    def add(tag, number, data=b""):
        digest.update(tag + number.to_bytes(8, "big") + data)

    def add_text(text):
        add(b"t", len(text.encode()), text.encode())

    def add_id(text):
        add(b"b", 16, uuid.UUID(text).bytes if text else bytes(16))

    add_text("daler.payments.v1.CreatePayment")
    add(b"i", ("deposit", "withdrawal", "transfer").index(kind) + 1)
    add_id(made.ledger_id)
    add(b"i", made.amount_minor)
    add_text(made.currency)
    add_id(account)
    add_id(counter)
    for text in (connector, instrument, made.reference):
        add_text(text)
    return digest.hexdigest()


class Paid(Market):
    """A market that remembers what was asked of it, and how it ended."""

    def __init__(self):
        super().__init__()
        self.wallet_id = self.wallet("anna", 10000)
        self.other_id = self.wallet("bert", 1000)
        self.asked = []  # (identity, token, request, payment)
        self.fill()
        self.asked = [(identity, token, made, self.payments.GetPayment(payment_id=payment.payment_id).payment)
                      for identity, token, made, payment in self.asked]

    def pay(self, made, expected="SUCCEEDED", identity="operator", token=None):
        stub = world.Stub("payments", identity, token or world.operator_token())

        def rested():
            reply = stub.call("CreatePayment", made)
            return reply if state(reply.payment) in world.RESTING else None
        reply = environment.wait_until(rested, 30, "the payment rests")
        assert state(reply.payment) == expected, reply
        self.asked.append((identity, stub.token, made, reply.payment))
        return reply.payment

    def money(self):
        return self.trial_balance(), [self.balances(one) for one in (self.wallet_id, self.other_id, self.clearing["EUR"])]


class FirstKinds(Paid):
    """Deposits, withdrawals and transfers; some are to be left open where they were after so many changes."""

    def fill(self):
        self.left = {}
        for make, instrument, expected, changes in (
                (deposit, "sim:ok", "SUCCEEDED", (0, 1, 2, 3)), (deposit, "sim:decline", "DECLINED", (0, 1, 2)),
                (deposit, "sim:no-answer=1", "SUCCEEDED", (3,)), (withdrawal, "sim:ok", "SUCCEEDED", (0, 1, 2, 3, 4)),
                (withdrawal, "sim:decline", "DECLINED", (0, 1, 2, 3, 4)),
                (withdrawal, "sim:no-answer=1", "SUCCEEDED", (4,))):
            for count in changes:
                self.leave(count, self.pay(make(self, self.wallet_id, 100, instrument=instrument, reference="alt, ü"),
                                           expected))
        for amount_minor, expected in ((10, "SUCCEEDED"), (1000000, "DECLINED")):
            for count in (0, 1):
                self.leave(count, self.pay(internal(self, self.wallet_id, self.other_id, amount_minor), expected))

    def leave(self, count, payment):
        if count:
            assert count < payment.version, payment
            self.left[payment.payment_id] = count

    def reopening(self):
        """Statements that take those payments back, as if who carried them out had died before writing more."""
        return "".join(
            f"DELETE FROM payment_events WHERE payment_id = '{payment_id}' AND version > {count};\n"
            f"UPDATE payments SET (state, reason, version, open) = (SELECT e.state, e.reason, e.version, true FROM"
            f" payment_events AS e WHERE e.payment_id = '{payment_id}' AND e.version = {count})"
            f" WHERE payment_id = '{payment_id}';\n" for payment_id, count in self.left.items())

    def hashing(self):
        """Statements that put the hashes there that the first versions had."""
        return "".join(f"UPDATE payments SET body_hash = '\\x{first_hash(made)}'"
                       f" WHERE payment_id = '{payment.payment_id}';\n" for _, _, made, payment in self.asked)


class MoreKinds(Paid):
    """Fees, refunds, wagers, settlements, rollbacks."""

    def fill(self):
        fees, game = self.open("fees"), self.wallet("game", 1000)
        both = {"account_id": self.wallet_id, "game_account_id": game, "round_id": "r1"}
        charged = self.pay(request(self, 500, fee=(5, fees), deposit=p.Deposit(
            account_id=self.wallet_id, connector="simulator", instrument="sim:ok")))
        self.pay(request(self, 200, refund=p.Refund(payment_id=charged.payment_id)))
        self.pay(request(self, 300, wager=p.Wager(**both), fee=(3, fees)))
        self.pay(request(self, 250, settlement=p.Settlement(**both)))
        wager = request(self, 40, wager=p.Wager(**dict(both, round_id="r2")))
        self.pay(wager)
        self.pay(request(self, 40, rollback=p.Rollback(**dict(both, round_id="r2"), original_key=wager.idempotency_key)))


class Limited(Paid):
    """A person with a limit, of which something is used."""

    def fill(self):
        self.person = world.person()
        self.own = self.wallet(self.person.user_id)
        self.payments.SetMarket(reason="test", market=p.Market(ledger_id=self.id, time_zone="UTC", week_start=1,
                                                               cooling_off_s=3600))
        limit = p.SetLimitRequest(ledger_id=self.id, person_id=self.person.user_id, currency="EUR",
                                  measure=p.LIMIT_MEASURE_DEPOSITS, period=p.LIMIT_PERIOD_MONTH)
        limit.limit.amount_minor = 1000
        self.person.at("payments").call("SetLimit", limit)
        for amount_minor, expected in ((600, "SUCCEEDED"), (500, "DECLINED")):
            self.pay(deposit(self, self.own, amount_minor), expected, "gateway", self.person.token)


class Payments(Case):
    TABLES = ("clearing_accounts", "transit_accounts", "payments", "payment_events", "limit_markets", "limit_persons",
              "person_limits", "limit_usage", "limit_claims", "limit_refusals", "limit_changes", "payment_calls")
    FIRST_HASH_UNTIL = 5  # the version under which the hash changed

    def test_every_version(self):
        pasts = [FirstKinds(), MoreKinds(), Limited()]
        self.check_ids(pasts[0])
        for version in earlier("payments", 6, 7):
            with self.subTest(version=version):
                self.upgrade(version, pasts[:version])

    def check_ids(self, past):
        """The names that ids of transfers are derived with are for ever: an open saga of old goes on with them."""
        names = {"deposit": ["credit"], "withdrawal": ["hold", "capture"], "transfer": ["transfer"]}
        for _, _, made, payment in past.asked:
            if state(payment) == "SUCCEEDED":
                for name in names[made.WhichOneof("kind")]:
                    past.accounts.GetTransfer(ledger_id=past.id, transfer_id=derived(payment.payment_id, name))

    def upgrade(self, version, pasts):
        database = OldDatabase("payments", version)
        changes = pasts[0].reopening() + (pasts[0].hashing() if version <= self.FIRST_HASH_UNTIL else "")
        database.fill(self.TABLES, [past.id for past in pasts], after=changes)
        before = [past.money() for past in pasts]
        database.migrate()
        with database.replica() as replica:
            for past in pasts:
                self.check_repeats(past, replica, pasts[0].left)
            self.assertEqual([past.money() for past in pasts], before)
            for past in pasts:
                self.check_going_on(past, replica)

    def check_repeats(self, past, replica, left):
        for identity, token, made, payment in past.asked:
            stub = replica.stub(identity, token)

            def rested():
                reply = stub.call("CreatePayment", made)
                return reply if state(reply.payment) in world.RESTING else None
            reply = environment.wait_until(rested, 20, f"{made} rests")
            self.assertTrue(reply.replayed, made)
            if payment.payment_id in left:
                self.assertEqual((state(reply.payment), reply.payment.reason), (state(payment), payment.reason))
            else:
                self.assertEqual(reply.payment, payment)
            with self.mismatch():
                stub.call("CreatePayment", again(made, reference="another"))

    def check_going_on(self, past, replica):
        stub = replica.stub("operator", world.operator_token())
        for make in (deposit, withdrawal):
            paid = stub.call("CreatePayment", make(past, past.wallet_id, 50)).payment
            self.assertEqual(state(paid), "SUCCEEDED", paid)
        if isinstance(past, Limited):
            stub = replica.stub("gateway", past.person.token)
            for amount_minor, expected in ((401, "DECLINED"), (400, "SUCCEEDED")):
                paid = stub.call("CreatePayment", deposit(past, past.own, amount_minor)).payment
                self.assertEqual(state(paid), expected, paid)
