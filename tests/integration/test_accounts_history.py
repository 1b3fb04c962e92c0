"""accounts through its wire: statements, balances of the past, groups, streams, and verification, also of corrupt rows."""

import concurrent.futures
import contextlib
import datetime
import os
import subprocess
import threading
import time
import unittest

import grpc

from support import environment, tokens, world
from support.cases import Case, having
from support.client import PATIENCE, Refused, Stub
from support.contracts import CONTRACTS
from support.contracts import accounts as a
from support.world import Ledger, new_account, new_id

Timestamp = CONTRACTS.message("google.protobuf.Timestamp")


def moment(time_us):
    return Timestamp(seconds=time_us // 1000000, nanos=time_us % 1000000 * 1000)


def us(timestamp):
    return timestamp.seconds * 1000000 + timestamp.nanos // 1000


class Statements(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Ledger()
        cls.stub = cls.ledger.accounts
        cls.wallet, cls.other = cls.ledger.wallet("anna"), cls.ledger.wallet("bert")
        for number in range(12):
            pair = (cls.ledger.clearing["EUR"], cls.wallet) if number % 3 == 0 else (cls.wallet, cls.other)
            cls.ledger.post(*pair, 100 if number % 3 == 0 else 7)
            time.sleep(0.002)
        cls.all = cls.ledger.statement(cls.wallet)

    def read(self, page_size=5, **range_):
        """All entries in pages, with opening and closing balances, which must be the same on each."""
        entries, token, ends = [], "", set()
        while True:
            page = self.stub.GetStatement(ledger_id=self.ledger.id, account_id=self.wallet, page_size=page_size,
                                          page_token=token, **range_)
            entries.extend(page.entries)
            ends.add((page.opening_balances.SerializeToString(), page.closing_balances.SerializeToString()))
            self.last_page = page
            token = page.next_page_token
            if not token:
                self.assertEqual(len(ends), 1)
                return entries

    def balances(self, sequence):
        return self.all[sequence - 1].balances if sequence else a.Balances()

    def check(self, first, last, **range_):
        for descending in (False, True):
            for page_size in (1, 3, 1000):
                with self.subTest(descending=descending, page_size=page_size, **range_):
                    entries = self.read(page_size, descending=descending, **range_)
                    wanted = self.all[first - 1:last]
                    self.assertEqual(entries, wanted[::-1] if descending else wanted)
                    self.assertEqual(self.last_page.opening_balances, self.balances(first - 1))
                    self.assertEqual(self.last_page.closing_balances, self.balances(last))

    def test_whole(self):
        self.assertEqual(len(self.all), 12)
        self.check(1, 12)

    def test_by_sequence(self):
        self.check(3, 12, from_sequence=3)
        self.check(1, 4, to_sequence=4)
        self.check(5, 5, from_sequence=5, to_sequence=5)
        self.check(1, 12, from_sequence=1, to_sequence=99)
        self.check(13, 12, from_sequence=50)

    def test_by_time(self):
        times = [us(entry.create_time) for entry in self.all]
        self.check(4, 12, from_time=moment(times[3]))
        self.check(5, 12, from_time=moment(times[3] + 1))
        self.check(1, 3, to_time=moment(times[3]))
        self.check(4, 7, from_time=moment(times[3]), to_time=moment(times[7]))
        self.check(1, 12, from_time=moment(times[0]), to_time=moment(times[-1] + 1))
        self.check(1, 0, to_time=moment(times[0]))
        self.check(13, 12, from_time=moment(times[-1] + 1))
        self.check(6, 7, from_time=moment(times[3]), to_time=moment(times[7]), from_sequence=6)

    def test_by_a_time_between_microseconds(self):
        time_us = us(self.all[3].create_time)
        after = Timestamp(seconds=time_us // 1000000, nanos=time_us % 1000000 * 1000 + 1)
        self.check(5, 12, from_time=after)
        self.check(1, 4, to_time=after)

    def test_pages_stay_while_posting_goes_on(self):
        ledger = Ledger()
        wallet = ledger.wallet("anna")
        for _ in range(6):
            ledger.post(ledger.clearing["EUR"], wallet, 1)
        for descending in (False, True):
            key = {"ledger_id": ledger.id, "account_id": wallet, "page_size": 2, "descending": descending}
            first = ledger.accounts.GetStatement(**key)
            before = first.closing_balances.sequence
            ledger.post(ledger.clearing["EUR"], wallet, 1)
            entries, token = list(first.entries), first.next_page_token
            while token:
                page = ledger.accounts.GetStatement(page_token=token, **key)
                self.assertEqual((page.opening_balances, page.closing_balances),
                                 (first.opening_balances, first.closing_balances))
                entries.extend(page.entries)
                token = page.next_page_token
            numbers = [entry.sequence for entry in entries]
            self.assertEqual(numbers, sorted(range(1, before + 1), reverse=descending))

    def test_bad_input(self):
        good = a.GetStatementRequest(ledger_id=self.ledger.id, account_id=self.wallet, page_size=2)
        token = self.stub.call("GetStatement", good).next_page_token
        spoiled = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:] for i in range(len(token))]
        self.check_bad_input(self.stub, "GetStatement", good, [
            (having(from_sequence=-1), "INVALID_FIELD", "from_sequence"),
            (having(to_sequence=-1), "INVALID_FIELD", "to_sequence"),
            (having(from_sequence=5, to_sequence=4), "INVALID_FIELD", "to_sequence"),
            (having(from_time__nanos=-1), "INVALID_FIELD", "from_time"),
            (having(to_time__seconds=1 << 60), "INVALID_FIELD", "to_time"),
            (having(from_time__seconds=5, to_time__seconds=4), "INVALID_FIELD", "to_time"),
            *((having(page_token=text), "PAGE_TOKEN_INVALID", "page_token") for text in spoiled),
            (having(page_token=token, descending=True), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token, from_sequence=2), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token, to_sequence=9), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token, to_time__seconds=9), "PAGE_TOKEN_INVALID", "page_token"),
        ])

    def balance_at(self, time_us):
        return self.stub.GetBalanceAt(ledger_id=self.ledger.id, account_id=self.wallet, time=moment(time_us)).balances

    def test_balance_at(self):
        times = [us(entry.create_time) for entry in self.all]
        self.assertEqual(self.balance_at(times[0] - 1), a.Balances())
        for number, time_us in enumerate(times, 1):
            self.assertEqual(self.balance_at(time_us), self.balances(number))
            self.assertEqual(self.balance_at(time_us - 1), self.balances(number - 1))
        self.assertEqual(self.balance_at(int(time.time() * 1e6)), self.ledger.balances(self.wallet))

    def test_balance_at_bad_input(self):
        ahead = datetime.datetime.now().timestamp() + 3600
        good = a.GetBalanceAtRequest(ledger_id=self.ledger.id, account_id=self.wallet, time=moment(1))
        self.check_bad_input(self.stub, "GetBalanceAt", good, [
            (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
            (having(account_id=""), "INVALID_UUID", "account_id"),
            (lambda request: request.ClearField("time"), "INVALID_FIELD", "time"),
            (having(time__nanos=1000000000), "INVALID_FIELD", "time"),
            (having(time__seconds=int(ahead)), "INVALID_FIELD", "time"),
        ])
        with self.not_found("ACCOUNT_NOT_FOUND", "account_id"):
            self.stub.GetBalanceAt(ledger_id=self.ledger.id, account_id=new_id(), time=moment(1))

    def test_what_was_said_of_a_moment_stays(self):
        """A batch that has its time already, and is not committed yet, while somebody asks about a moment after that."""
        source = self.ledger.clearing["EUR"]
        wallet = self.ledger.open()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            with environment.locked("accounts", f"accounts WHERE account_id = '{wallet}'"):
                posting = pool.submit(self.ledger.post, source, wallet, 7)
                environment.wait_until(lambda: environment.sql_value("super", """
                    SELECT count(*) FROM pg_stat_activity WHERE usename = 'accounts_service' AND wait_event_type = 'Lock'""") != "0",
                                       20, "the batch waits, with its ledger locked")
                just = moment(int(time.time() * 1e6))

                def balance():
                    return self.stub.GetBalanceAt(ledger_id=self.ledger.id, account_id=wallet, time=just).balances.posted_minor

                def statement(**bounds):
                    page = self.stub.GetStatement(ledger_id=self.ledger.id, account_id=wallet, **bounds)
                    return len(page.entries), page.opening_balances.posted_minor, page.closing_balances.posted_minor

                asked = [balance, lambda: statement(to_time=just), lambda: statement(from_time=just)]
                first = [pool.submit(ask) for ask in asked]
                self.assertEqual(self.stub.GetBalanceAt(ledger_id=self.ledger.id, account_id=wallet, time=moment(1)).balances,
                                 a.Balances())  # long past: waits for nobody
            self.assertEqual(posting.result().WhichOneof("result"), "posted")
            self.assertEqual([one.result() for one in first], [ask() for ask in asked])
            self.assertEqual([ask() for ask in asked], [7, (1, 0, 7), (0, 7, 7)])

    def test_of_a_player(self):
        anna = world.person()
        own = self.ledger.wallet(anna.user_id, 5)
        stub, now = anna.at("accounts"), moment(int(time.time() * 1e6))
        self.assertEqual(stub.GetBalanceAt(ledger_id=self.ledger.id, account_id=own, time=now).balances.posted_minor, 5)
        with self.not_found("ACCOUNT_NOT_FOUND", "account_id"):
            stub.GetBalanceAt(ledger_id=self.ledger.id, account_id=self.wallet, time=now)


class Groups(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.wallet, self.other = self.ledger.wallet("anna", 100), self.ledger.wallet("bert")

    def group(self, transfer_id):
        return self.ledger.accounts.GetGroup(ledger_id=self.ledger.id, transfer_id=transfer_id).outcome

    def test_posted(self):
        posted = self.ledger.post_group(*(self.ledger.transfer(self.wallet, self.other, n) for n in (1, 2, 3)))
        for transfer in posted.posted.transfers:
            read = self.group(transfer.transfer.transfer_id)
            self.assertEqual((read.group_id, read.posted, read.replayed), (posted.group_id, posted.posted, True))

    def test_declined(self):
        declined = self.ledger.post_group(*(self.ledger.transfer(self.wallet, self.other, n) for n in (1, 200)))
        for transfer_id in (declined.group_id, declined.decline.transfer_id):
            read = self.group(transfer_id)
            self.assertEqual(read.decline.field, "")
            read.decline.field = declined.decline.field
            self.assertEqual((read.group_id, read.decline), (declined.group_id, declined.decline))

    def test_errors(self):
        with self.not_found("TRANSFER_NOT_FOUND"):
            self.group(new_id())
        with self.invalid("INVALID_UUID", "transfer_id"):
            self.group("x")

    def test_reversed_so_far(self):
        direct = self.ledger.transfer(self.wallet, self.other, 50)
        self.ledger.post_group(direct)
        for amount in (20, 5):
            back = self.ledger.transfer(self.other, self.wallet, amount, kind="reversal")
            back.reversal.original_id = direct.transfer_id
            self.assertEqual(self.ledger.post_group(back).WhichOneof("result"), "posted")
        read = self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id=direct.transfer_id)
        self.assertEqual(read.reversed_minor, 25)


class Streams(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.wallet, self.other = self.ledger.wallet("anna", 1000), self.ledger.wallet("bert")

    def request(self, amount_minor=1, **more):
        return self.joined([amount_minor], **more)

    def joined(self, amounts_minor, **more):
        """One request with a group for each amount."""
        return a.PostStreamRequest(ledger_id=self.ledger.id, groups=[
            a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, amount_minor, **more)])
            for amount_minor in amounts_minor])

    def outcomes(self, requests):
        return [outcome for reply in self.ledger.accounts.stream("PostStream", iter(requests)) for outcome in reply.outcomes]

    def in_order(self, requests, amounts_minor):
        """That each group has its outcome, in order, and the same when all is repeated."""
        outcomes = self.outcomes(requests)
        self.assertEqual([outcome.group_id for outcome in outcomes],
                         [group.transfers[0].transfer_id for request in requests for group in request.groups])
        self.assertEqual([outcome.WhichOneof("result") for outcome in outcomes],
                         ["posted" if amount_minor == 1 else "decline" for amount_minor in amounts_minor])
        self.assertEqual(self.ledger.balances(self.other).posted_minor, amounts_minor.count(1))
        again = self.outcomes(requests)
        self.assertEqual({outcome.replayed for outcome in again}, {True})
        self.assertEqual([outcome.posted for outcome in again], [outcome.posted for outcome in outcomes])

    def test_outcomes_in_order(self):
        amounts_minor = [1 if n % 7 else 5000 for n in range(700)]
        self.in_order([self.request(amount_minor) for amount_minor in amounts_minor], amounts_minor)

    def test_several_groups_in_a_request(self):
        """One answer for each request, whatever their sizes; together more than the window of the stream."""
        sizes = [1, 100, 7, *[100] * 12, 3]
        amounts_minor = [1 if n % 2 else 5000 for n in range(sum(sizes))]
        requests, rest = [], amounts_minor
        for size in sizes:
            requests.append(self.joined(rest[:size]))
            rest = rest[size:]
        self.in_order(requests, amounts_minor)
        replies = list(self.ledger.accounts.stream("PostStream", iter(requests)))
        self.assertEqual([len(reply.outcomes) for reply in replies], sizes)

    def test_sizes_of_a_request(self):
        with self.invalid("INVALID_LENGTH", "groups"):
            self.outcomes([self.joined([])])
        with self.invalid("INVALID_LENGTH", "groups"):
            self.outcomes([self.joined([1] * 101)])
        many = self.joined([1] * 11)
        for group in many.groups:
            group.transfers.extend(self.ledger.transfer(self.wallet, self.other, 1) for _ in range(90))
        with self.invalid("INVALID_LENGTH", "groups"):
            self.outcomes([many])
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 0)

    def test_one_malformed_group_of_a_request_leaves_the_others_undone(self):
        bad = self.joined([1, 1, -1])
        with self.invalid("INVALID_AMOUNT", "groups[2].transfers[0].amount_minor"):
            self.outcomes([bad])
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 0)

    def test_groups_of_a_stream_share_transactions(self):
        name = "daler_commit_batch_size_count"
        requests = [self.request() for _ in range(500)]
        before = environment.metric_sum("accounts", name, 'name="posting"')
        list(self.ledger.accounts.stream("PostStream", iter(requests)))
        self.assertLess(environment.metric_sum("accounts", name, 'name="posting"') - before, 200)

    def test_empty(self):
        self.assertEqual(list(self.ledger.accounts.stream("PostStream", iter([]))), [])

    def test_malformed_group_ends_it(self):
        answered = []
        requests = [self.request(), self.request(), self.request(amount_minor=-1), self.request()]
        with self.invalid("INVALID_AMOUNT", "groups[0].transfers[0].amount_minor"):
            for reply in self.ledger.accounts.stream("PostStream", iter(requests)):
                answered.append(reply.outcomes[0].WhichOneof("result"))
        self.assertEqual(answered, ["posted", "posted"])
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 2)

    def test_other_ledger_ends_it(self):
        other = self.request()
        other.ledger_id = new_id()
        with self.invalid("INVALID_FIELD", "ledger_id"):
            list(self.ledger.accounts.stream("PostStream", iter([self.request(), other])))

    def test_unknown_ledger(self):
        request = self.request()
        request.ledger_id = new_id()
        with self.not_found("LEDGER_NOT_FOUND"):
            list(self.ledger.accounts.stream("PostStream", iter([request])))

    def test_same_id_other_body_is_refused_and_it_goes_on(self):
        first, changed, last = self.request(), self.request(2), self.request()
        changed.groups[0].transfers[0].transfer_id = first.groups[0].transfers[0].transfer_id
        outcomes = self.outcomes([first, changed, last])
        self.assertEqual([outcome.WhichOneof("result") for outcome in outcomes], ["posted", "refusal", "posted"])
        self.assertEqual((outcomes[1].refusal.reason, outcomes[1].refusal.field),
                         ("IDEMPOTENCY_PAYLOAD_MISMATCH", "groups[0].transfers[0].transfer_id"))

    def test_answers_come_while_it_is_open(self):
        asked = threading.Semaphore(1)

        def requests():
            for _ in range(5):
                asked.acquire()
                yield self.request()
        count = 0
        for _ in self.ledger.accounts.stream("PostStream", requests()):
            count += 1
            asked.release()
        self.assertEqual(count, 5)

    def test_caller_that_does_not_read_holds_itself_up(self):
        """The server reads on only as it answers; what was sent is carried out or not, and never half."""
        taken = []

        def requests():
            for _ in range(200000):
                taken.append(1)
                yield shared
        shared = self.request(reference="r" * 128)
        stream = self.ledger.accounts.stream("PostStream", requests(), timeout=30)
        next(stream)
        environment.wait_until(lambda: self.stands_still(taken), 20, "the stream stands still")
        self.assertLess(len(taken), 190000)
        with self.subTest("memory"):
            self.measures_memory()
            resident = int((environment.pathlib.Path(f"/proc/{environment.pid('accounts')}/statm")).read_text().split()[1])
            self.assertLess(resident * 4096, 64 << 20)
        stream.close()
        self.assertEqual(self.ledger.post(self.wallet, self.other, 1).WhichOneof("result"), "posted")

    def test_it_ends_with_its_token(self):
        """30 s after its end a token is no longer taken, by a stream that goes on either; what was answered before stands."""
        token = tokens.altered(self.ledger.accounts.token, tokens.own_key(), exp=int(time.time()) - 25)

        def requests():
            for _ in range(200):
                yield self.request()
                time.sleep(0.1)
        answered = 0
        with self.assertRaises(Refused) as caught:
            for _ in Stub("accounts", "operator", token).stream("PostStream", requests(), timeout=20):
                answered += 1
        self.assertEqual(caught.exception.code, grpc.StatusCode.UNAUTHENTICATED, caught.exception)
        self.assertGreater(answered, 0)
        self.assertGreaterEqual(self.ledger.balances(self.other).posted_minor, answered)

    @staticmethod
    def stands_still(taken):
        before = len(taken)
        time.sleep(0.5)
        return len(taken) == before


@contextlib.contextmanager
def transfers_locked():
    """Nobody reads a transfer until the block calls what it is given, or ends."""
    with subprocess.Popen(["psql", "-qXAt", "-d", os.environ["DALER_ACCOUNTS_DB"]], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as psql:
        psql.stdin.write("BEGIN; LOCK TABLE transfers; SELECT 'locked';\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "locked\n"
        yield psql.stdin.close


class Verification(Case):
    """Each kind of discrepancy, made by the owner behind the service's back."""

    def setUp(self):
        self.ledger = Ledger()
        self.wallet, self.other = self.ledger.wallet("anna", 1000), self.ledger.wallet("bert")
        self.direct = self.ledger.transfer(self.wallet, self.other, 100)
        self.ledger.post_group(self.direct)
        self.hold = self.ledger.transfer(self.wallet, self.other, 300, kind="hold")
        self.ledger.post_group(self.hold)
        part = self.ledger.transfer(self.wallet, self.other, 100, kind="capture", hold_id=self.hold.transfer_id)
        part.capture.keep_open = True
        self.ledger.post_group(part)
        self.ended = self.ledger.transfer(self.wallet, self.other, 50, kind="hold")
        self.ledger.post_group(self.ended)
        self.ledger.post(self.wallet, self.other, 20, kind="capture", hold_id=self.ended.transfer_id)
        self.ledger.post(self.other, self.wallet, 500, kind="balancing")

    def verify(self):
        replies = list(self.ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=self.ledger.id)))
        self.assertEqual([reply.complete for reply in replies], [False] * (len(replies) - 1) + [True])
        self.last = replies[-1]
        return [found for reply in replies for found in reply.discrepancies]

    def reasons(self):
        return {found.reason for found in self.verify()}

    def corrupt(self, *statements):
        """Without the constraints that would refuse it. Each statement by itself: one that has locked a table and wants the
        next can meet the service, which has that one and wants the first."""
        for table, name in (("accounts", "accounts_lower_limit"), ("accounts", "accounts_totals"),
                            ("transfers", "transfers_amount"), ("holds", "holds_state"), ("holds", "holds_captured"),
                            ("account_changes", "account_changes_status")):
            environment.sql("accounts", f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        for statement in statements:
            environment.sql("accounts", statement)

    def test_nothing_to_find(self):
        self.assertEqual(self.verify(), [])
        self.assertEqual((self.last.account_count, self.last.transfer_count), (3, 7))

    def test_changed_limits_are_those_of_their_time(self):
        stub = self.ledger.accounts
        stub.UpdateAccount(ledger_id=self.ledger.id, account_id=self.wallet, expected_version=1,
                           update_mask={"paths": ["lower_limit"]}, lower_limit={"amount_minor": -500})
        self.ledger.post(self.wallet, self.other, 1300)
        self.ledger.post(self.other, self.wallet, 1000)
        stub.UpdateAccount(ledger_id=self.ledger.id, account_id=self.wallet, expected_version=2,
                           update_mask={"paths": ["lower_limit"]}, lower_limit={"amount_minor": 0})
        self.assertEqual(self.verify(), [])
        self.corrupt(f"UPDATE account_changes SET new_lower_limit_minor = 0 "
                     f"WHERE account_id = '{self.wallet}' AND version = 2")
        self.assertEqual(self.reasons(), {"LIMIT_PASSED", "METADATA_DIFFERS"})

    def test_totals(self):
        self.corrupt(f"UPDATE accounts SET debits_posted_minor = debits_posted_minor + 1 "
                     f"WHERE account_id = '{self.wallet}'")
        found = self.verify()
        self.assertEqual({one.reason for one in found}, {"TOTALS_DIFFER", "TRIAL_BALANCE_DIFFERS"})
        self.assertEqual({one.account_id for one in found}, {self.wallet, ""})

    def test_sums_of_any_size(self):
        """Totals that fit each account, and together no number of 63 bits."""
        most = (1 << 63) - 1
        before = self.ledger.trial_balance().lines[0].debits_posted_minor
        accounts = [self.ledger.open() for _ in range(4)]
        for debit, credit in zip(accounts[::2], accounts[1::2]):
            self.assertEqual(self.ledger.post(debit, credit, most).WhichOneof("result"), "posted")
        self.assertEqual(self.verify(), [])
        balance = self.ledger.trial_balance()
        line, = balance.lines
        self.assertTrue(balance.balanced)
        self.assertEqual((line.debits_posted_minor, line.credits_posted_minor), (most, most))
        self.assertEqual((line.exact.debits_posted_minor, line.exact.credits_posted_minor), (str(2 * most + before),) * 2)
        self.assertEqual(line.exact.debits_pending_minor, str(line.debits_pending_minor))
        self.corrupt(f"UPDATE accounts SET debits_posted_minor = debits_posted_minor - 1 "
                     f"WHERE account_id = '{accounts[0]}'")
        found = {one.reason: one.detail for one in self.verify()}
        self.assertEqual(set(found), {"TOTALS_DIFFER", "TRIAL_BALANCE_DIFFERS"})
        self.assertRegex(found["TRIAL_BALANCE_DIFFERS"], "EUR: debits 1844674407370955[0-9]{4}[+]")
        self.assertFalse(self.ledger.trial_balance().balanced)

    def test_more_open_holds_than_are_followed_at_once(self):
        if PATIENCE > 1:
            self.skipTest("too many for a build with a sanitizer")
        many, at_once = 70000, 1000  # HOLDS_FOLLOWED is 65,536
        ids = [new_id() for _ in range(many)]
        source, sink = self.ledger.open(), self.ledger.open()

        def post(first):
            request = a.PostBatchRequest(ledger_id=self.ledger.id)
            for hold_id in ids[first:first + at_once]:
                request.groups.add().transfers.append(
                    self.ledger.transfer(source, sink, 1, kind="hold", transfer_id=hold_id))
            return [outcome.WhichOneof("result") for outcome in self.ledger.accounts.call("PostBatch", request).outcomes]

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for results in pool.map(post, range(0, many, at_once)):
                self.assertEqual(set(results), {"posted"})
        before = self.last_count()
        self.assertEqual(self.verify(), [])
        self.assertEqual(self.last.transfer_count, before)
        wrong = ids[::many // 10]
        self.corrupt("UPDATE holds SET amount_minor = 2 WHERE hold_id IN ('{}')".format("','".join(wrong)))
        found = self.verify()
        self.assertEqual({(one.reason, one.account_id) for one in found}, {("HOLD_DIFFERS", source)})
        differing = [one.transfer_id for one in found if "by its transfers" in one.detail]  # each once
        self.assertEqual(sorted(differing), sorted(wrong))

    def last_count(self):
        return int(environment.sql_value("accounts", f"SELECT count(*) FROM transfers WHERE ledger_id = '{self.ledger.id}'"))

    def test_amount(self):
        self.corrupt(f"UPDATE transfers SET moved_minor = moved_minor + 1 "
                     f"WHERE transfer_id = '{self.direct.transfer_id}'")
        found = self.verify()
        self.assertEqual({one.reason for one in found}, {"BALANCE_AFTER_DIFFERS", "TOTALS_DIFFER"})
        self.assertEqual({one.transfer_id for one in found if one.reason == "BALANCE_AFTER_DIFFERS"},
                         {self.direct.transfer_id})
        self.assertEqual({one.account_id for one in found}, {self.wallet, self.other})

    def test_balance_after(self):
        self.corrupt(f"UPDATE transfers SET credit_credits_posted_minor = credit_credits_posted_minor + 5 "
                     f"WHERE transfer_id = '{self.direct.transfer_id}'")
        found = self.verify()
        self.assertEqual({(one.reason, one.account_id) for one in found}, {("BALANCE_AFTER_DIFFERS", self.other)})

    def test_gap(self):
        self.corrupt(f"UPDATE transfers SET debit_sequence = debit_sequence + 100 WHERE debit_account_id = '{self.wallet}' "
                     f"AND transfer_id = '{self.direct.transfer_id}'")
        self.assertIn("SEQUENCE_GAP", self.reasons())

    def test_lost_transfer(self):
        self.corrupt(f"DELETE FROM transfers WHERE transfer_id = '{self.direct.transfer_id}'")
        self.assertEqual(self.reasons(), {"SEQUENCE_GAP", "BALANCE_AFTER_DIFFERS", "TOTALS_DIFFER"})

    def test_limit(self):
        self.corrupt(f"UPDATE accounts SET lower_limit_minor = 950 WHERE account_id = '{self.wallet}'")
        found = self.verify()
        self.assertEqual({(one.reason, one.account_id) for one in found},
                         {("LIMIT_PASSED", self.wallet), ("METADATA_DIFFERS", self.wallet)})

    def test_metadata(self):
        """What the service's role may write, without a change on record that says who did."""
        for change in ("status = 2", "upper_limit_minor = 1000000", "credit_line_minor = 5", "label = 'x'",
                       "version = 2", "owner = 'bert'"):
            with self.subTest(change=change):
                self.setUp()
                self.corrupt(f"UPDATE accounts SET {change} WHERE account_id = '{self.wallet}'")
                self.assertEqual([(one.reason, one.account_id) for one in self.verify()],
                                 [("METADATA_DIFFERS", self.wallet)])
        self.setUp()
        self.ledger.accounts.UpdateAccount(ledger_id=self.ledger.id, account_id=self.wallet, expected_version=1,
                                           update_mask={"paths": ["status"]}, status=a.ACCOUNT_STATUS_BLOCKED)
        self.assertEqual(self.verify(), [])
        self.corrupt(f"UPDATE accounts SET status = 1 WHERE account_id = '{self.wallet}'")
        self.assertEqual(self.reasons(), {"METADATA_DIFFERS"})

    def test_currency_and_time(self):
        self.corrupt(f"UPDATE transfers SET currency = 'USD' WHERE transfer_id = '{self.direct.transfer_id}'")
        self.assertEqual({(one.reason, one.account_id) for one in self.verify()},
                         {("CURRENCY_DIFFERS", self.wallet), ("CURRENCY_DIFFERS", self.other),
                          ("GROUP_DIFFERS", self.wallet)})
        self.setUp()
        self.corrupt(f"UPDATE transfers SET created = created + interval '1 day' "
                     f"WHERE transfer_id = '{self.direct.transfer_id}'")
        self.assertEqual(self.reasons(), {"TIME_DIFFERS"})
        self.setUp()
        self.corrupt(f"UPDATE accounts SET last_entry = last_entry - interval '1 day' "
                     f"WHERE account_id = '{self.wallet}'")
        self.assertEqual(self.reasons(), {"TIME_DIFFERS"})

    def test_reversed(self):
        """A transfer of which less is on record as moved back than was could be moved back again."""
        for change, wrong in (("UPDATE reversed SET reversed_minor = 1 WHERE original_id = '{}'", 0),
                              ("UPDATE reversed SET amount_minor = 5000 WHERE original_id = '{}'", 0),
                              ("DELETE FROM reversed WHERE original_id = '{}'", 0),
                              ("UPDATE reversed SET original_id = '{}' WHERE ledger_id = '{}'", 1)):
            with self.subTest(change=change):
                self.setUp()
                other = self.ledger.post(self.wallet, self.other, 100).posted.transfers[0].transfer
                back = self.ledger.transfer(self.other, self.wallet, 30, kind="reversal")
                back.reversal.original_id = self.direct.transfer_id
                self.assertEqual(self.ledger.post_group(back).WhichOneof("result"), "posted")
                self.assertEqual(self.verify(), [])
                self.corrupt(change.format((self.direct, other)[wrong].transfer_id, self.ledger.id))
                self.assertEqual({(one.reason, one.transfer_id) for one in self.verify()},
                                 {("REVERSED_DIFFERS", one.transfer_id) for one in (self.direct, other)[:wrong + 1]})

    def test_holds_that_no_transfer_made(self):
        self.corrupt(f"INSERT INTO holds VALUES ('{self.ledger.id}', '{new_id()}', '{self.wallet}', '{self.other}', 5, 0, 1)")
        self.assertEqual(self.reasons(), {"HOLD_DIFFERS"})
        for change in (f"credit_account_id = '{self.ledger.clearing['EUR']}'", "expires = now() + interval '1 hour'"):
            with self.subTest(change=change):
                self.setUp()
                self.corrupt(f"UPDATE holds SET {change} WHERE hold_id = '{self.hold.transfer_id}'")
                self.assertEqual([(one.reason, one.transfer_id) for one in self.verify()],
                                 [("HOLD_DIFFERS", self.hold.transfer_id)])

    def test_holds(self):
        for number, change in enumerate((f"captured_minor = 99 WHERE hold_id = '{self.hold.transfer_id}'",
                                         f"state = 3 WHERE hold_id = '{self.hold.transfer_id}'",
                                         f"captured_minor = 30 WHERE hold_id = '{self.ended.transfer_id}'",
                                         f"state = 1 WHERE hold_id = '{self.ended.transfer_id}'")):
            with self.subTest(change=number):
                if number:
                    self.setUp()
                    change = change.replace(change.split("'")[1], (self.hold if number == 1 else self.ended).transfer_id)
                self.corrupt(f"UPDATE holds SET {change}")
                self.assertEqual(self.reasons(), {"HOLD_DIFFERS"})
        self.setUp()
        self.corrupt(f"DELETE FROM holds WHERE hold_id = '{self.ended.transfer_id}'")
        self.assertEqual([(one.reason, one.transfer_id) for one in self.verify()],
                         [("HOLD_DIFFERS", self.ended.transfer_id)])

    def test_many_discrepancies(self):
        self.corrupt(f"UPDATE transfers SET debit_debits_posted_minor = debit_debits_posted_minor + 1 "
                     f"WHERE ledger_id = '{self.ledger.id}'")
        self.assertGreaterEqual(len(self.verify()), 5)

    def test_large_account_while_posting_goes_on(self):
        stop = threading.Event()

        def post():
            while not stop.is_set():
                groups = [a.Group(transfers=[self.ledger.transfer(self.ledger.clearing["EUR"], self.other, 1)])
                          for _ in range(500)]
                self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=groups)
        writer = threading.Thread(target=post)
        writer.start()
        try:
            environment.wait_until(lambda: self.ledger.balances(self.other).sequence > 10000, 60, "there is much")
            for _ in range(3):
                self.assertEqual(self.verify(), [])
            self.assertGreater(self.last.transfer_count, 10000)
        finally:
            stop.set()
            writer.join()
        self.assertEqual(self.verify(), [])

    def test_progress_is_told(self):
        """More accounts than are looked at together, and the first of them held up for longer than goes by untold."""
        for _ in range(2):
            self.ledger.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[new_account() for _ in range(300)])
        with transfers_locked() as release:
            replies = self.ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=self.ledger.id))
            first = concurrent.futures.ThreadPoolExecutor(1).submit(next, replies)
            environment.wait_until(lambda: environment.sql_value("super", """
                SELECT count(*) FROM pg_stat_activity WHERE usename = 'accounts_service' AND wait_event_type = 'Lock'""") != "0",
                                   10, "the verification waits")
            time.sleep(1)
            release()
            told = [first.result(), *replies]
        self.assertFalse(told[0].complete)
        self.assertTrue(told[-1].complete)
        self.assertGreater(told[0].account_count, 0)
        self.assertGreater(told[-1].account_count, told[0].account_count)
        self.assertEqual(told[-1].account_count, 603)

    def test_no_more_than_two_at_once(self):
        def read():
            try:
                return list(self.ledger.accounts.stream(
                    "VerifyLedger", a.VerifyLedgerRequest(ledger_id=self.ledger.id)))[-1].complete
            except Refused as refused:
                self.assertEqual((refused.code, refused.reason),
                                 (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_VERIFICATIONS"))
                return None
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(read())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertIn(True, answers)
        self.assertNotIn(False, answers)

    def test_errors(self):
        for ledger_id, expected in (("x", self.invalid("INVALID_UUID", "ledger_id")),
                                    (new_id(), self.not_found("LEDGER_NOT_FOUND"))):
            with expected:
                list(self.ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=ledger_id)))


if __name__ == "__main__":
    unittest.main()
