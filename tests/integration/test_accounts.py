"""accounts through its wire: ledgers, accounts, transfers, holds, statements."""

import concurrent.futures
import contextlib
import os
import subprocess
import time
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.client import PATIENCE, Refused, find_method
from support.contracts import accounts as a
from support.world import Ledger, new_account, new_id

INT64_MAX = (1 << 63) - 1
NIL = "00000000-0000-0000-0000-000000000000"


class Ledgers(Case):
    def setUp(self):
        self.accounts = world.operator("accounts")

    def test_create_repeat_read(self):
        request = a.CreateLedgerRequest(ledger_id=new_id(), name="Malta, übrig")
        first = self.accounts.call("CreateLedger", request)
        again = self.accounts.call("CreateLedger", request)
        self.assertEqual((first.replayed, again.replayed), (False, True))
        self.assertEqual(first.ledger, again.ledger)
        self.assertEqual(self.accounts.GetLedger(ledger_id=request.ledger_id).ledger, first.ledger)

    def test_same_id_other_name(self):
        ledger_id = new_id()
        self.accounts.CreateLedger(ledger_id=ledger_id, name="one")
        with self.nothing_written("accounts"), self.mismatch("ledger_id"):
            self.accounts.CreateLedger(ledger_id=ledger_id, name="two")

    def test_bad_input(self):
        with self.nothing_written("accounts"):
            self.check_bad_input(self.accounts, "CreateLedger", a.CreateLedgerRequest(ledger_id=new_id(), name="x"), [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (having(ledger_id=""), "INVALID_UUID", "ledger_id"),
                (having(name=""), "INVALID_LENGTH", "name"),
                (having(name="ü" * 129), "INVALID_LENGTH", "name"),
                (having(name="a\nb"), "INVALID_TEXT", "name"),
            ])
        with self.invalid("INVALID_UUID", "ledger_id"):
            self.accounts.GetLedger(ledger_id="x")
        with self.not_found("LEDGER_NOT_FOUND"):
            self.accounts.GetLedger(ledger_id=new_id())

    def test_pages(self):
        made = {Ledger(()).id for _ in range(5)}
        seen, token, pages = [], "", 0
        while True:
            page = self.accounts.ListLedgers(page_size=2, page_token=token)
            self.assertLessEqual(len(page.ledgers), 2)
            seen.extend(ledger.ledger_id for ledger in page.ledgers)
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual(seen, sorted(set(seen)))
        self.assertLessEqual(made, set(seen))
        self.assertGreaterEqual(pages, 3)

    def test_page_bad_input(self):
        for size in (-1, 1001):
            with self.subTest(size=size), self.invalid("INVALID_FIELD", "page_size"):
                self.accounts.ListLedgers(page_size=size)
        with self.invalid("PAGE_TOKEN_INVALID", "page_token"):
            self.accounts.ListLedgers(page_token="nonsense")


class Accounts(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Ledger()
        cls.accounts = world.operator("accounts")

    def test_create_repeat_read(self):
        request = a.CreateAccountsRequest(ledger_id=self.ledger.id, accounts=[
            new_account("anna", lower=0, label="Konto"),
            new_account("house", side=a.NORMAL_SIDE_DEBIT, upper=500),
        ])
        first = self.accounts.call("CreateAccounts", request)
        again = self.accounts.call("CreateAccounts", request)
        self.assertEqual((first.replayed, again.replayed), (False, True))
        self.assertEqual(list(first.accounts), list(again.accounts))
        for wanted, made in zip(request.accounts, first.accounts):
            for name in ("account_id", "owner", "currency", "normal_side", "label", "lower_limit", "upper_limit"):
                self.assertEqual(getattr(made.metadata, name), getattr(wanted, name), name)
                self.assertEqual(made.metadata.HasField("lower_limit"), wanted.HasField("lower_limit"))
            self.assertEqual(made.metadata.version, 1)
            self.assertEqual(made.balances, a.Balances())
            key = {"ledger_id": self.ledger.id, "account_id": wanted.account_id}
            self.assertEqual(self.accounts.GetAccount(**key).account, made)
            self.assertEqual(self.accounts.GetAccountMetadata(**key).metadata, made.metadata)

    def test_repeat_after_a_transfer_is_still_a_repeat(self):
        account = new_account("bert", lower=0)
        self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[account])
        self.ledger.post(self.ledger.clearing["EUR"], account.account_id, 5)
        reply = self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[account])
        self.assertTrue(reply.replayed)
        self.assertEqual(reply.accounts[0].balances.posted_minor, 5)

    def test_all_or_none(self):
        there = new_account("anna")
        self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[there])
        other, changed = new_account("bert"), new_account("cleo", account_id=there.account_id)
        with self.nothing_written("accounts"), self.mismatch("accounts[1].account_id"):
            self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[other, changed])
        with self.not_found("ACCOUNT_NOT_FOUND", "account_id"):
            self.accounts.GetAccount(ledger_id=self.ledger.id, account_id=other.account_id)

    def test_bad_input(self):
        good = a.CreateAccountsRequest(ledger_id=self.ledger.id, accounts=[new_account("anna", lower=0)])

        def first(**fields):
            return lambda request: having(**fields)(request.accounts[0])

        with self.nothing_written("accounts"):
            self.check_bad_input(self.accounts, "CreateAccounts", good, [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (first(account_id="x"), "INVALID_UUID", "accounts[0].account_id"),
                (first(owner=""), "INVALID_LENGTH", "accounts[0].owner"),
                (first(owner="o" * 129), "INVALID_LENGTH", "accounts[0].owner"),
                (first(label="l" * 129), "INVALID_LENGTH", "accounts[0].label"),
                (first(label="\u0007"), "INVALID_TEXT", "accounts[0].label"),
                (first(currency=""), "INVALID_CURRENCY", "accounts[0].currency"),
                (first(currency="eur"), "INVALID_CURRENCY", "accounts[0].currency"),
                (first(currency="ZZZ"), "INVALID_CURRENCY", "accounts[0].currency"),
                (first(normal_side=0), "INVALID_FIELD", "accounts[0].normal_side"),
                (first(normal_side=7), "INVALID_FIELD", "accounts[0].normal_side"),
                (first(lower_limit__amount_minor=1), "INVALID_FIELD", "accounts[0].lower_limit"),
                (first(upper_limit__amount_minor=-1), "LIMITS_CONTRADICT", "accounts[0].upper_limit"),
                (first(lower_limit__amount_minor=-2, upper_limit__amount_minor=-1), "INVALID_FIELD", "accounts[0].upper_limit"),
            ])

    def test_bad_lists(self):
        account = new_account("anna")
        with self.nothing_written("accounts"):
            for accounts in ([], [account, account], [new_account("anna") for _ in range(1001)]):
                with self.subTest(count=len(accounts)), self.assertRaises(Exception) as caught:
                    self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=accounts)
                self.assertEqual(caught.exception.code, grpc.StatusCode.INVALID_ARGUMENT)
                self.assertTrue(caught.exception.fields[0].startswith("accounts"), caught.exception)

    def test_thousand_at_once(self):
        accounts = [new_account("many") for _ in range(1000)]
        reply = self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=accounts)
        self.assertEqual([made.metadata.account_id for made in reply.accounts],
                         [account.account_id for account in accounts])

    def test_not_found(self):
        with self.not_found("LEDGER_NOT_FOUND"):
            self.accounts.CreateAccounts(ledger_id=new_id(), accounts=[new_account("anna")])
        for method in ("GetAccount", "GetAccountMetadata", "GetStatement"):
            with self.subTest(method=method), self.not_found("ACCOUNT_NOT_FOUND", "account_id"):
                self.accounts.call(method, ledger_id=self.ledger.id, account_id=new_id())
            with self.subTest(method=method), self.invalid("INVALID_UUID", "account_id"):
                self.accounts.call(method, ledger_id=self.ledger.id, account_id="x")
            with self.subTest(method=method), self.invalid("INVALID_UUID", "ledger_id"):
                self.accounts.call(method, ledger_id="x", account_id=new_id())

    def test_account_of_another_ledger_is_not_found(self):
        account_id = self.ledger.open("anna")
        with self.not_found("ACCOUNT_NOT_FOUND", "account_id"):
            self.accounts.GetAccount(ledger_id=Ledger(()).id, account_id=account_id)

    def test_list_filters_and_pages(self):
        ledger = Ledger(())
        euros = [ledger.open("anna") for _ in range(3)] + [ledger.open("bert")]
        dollars = [ledger.open("anna", "USD")]

        def listed(**filters):
            seen, token = [], ""
            while True:
                page = self.accounts.ListAccounts(ledger_id=ledger.id, page_size=2, page_token=token, **filters)
                seen.extend(account.metadata.account_id for account in page.accounts)
                token = page.next_page_token
                if not token:
                    return seen

        self.assertEqual(listed(), sorted(euros + dollars))
        self.assertEqual(listed(owner="anna"), sorted(euros[:3] + dollars))
        self.assertEqual(listed(owner="anna", currency="USD"), dollars)
        self.assertEqual(listed(currency="EUR"), sorted(euros))
        self.assertEqual(listed(owner="nobody"), [])

    def test_list_bad_input(self):
        good = a.ListAccountsRequest(ledger_id=self.ledger.id)
        token = self.accounts.ListAccounts(ledger_id=self.ledger.id, page_size=1).next_page_token
        tampered = ("B" if token[0] != "B" else "C") + token[1:]
        self.check_bad_input(self.accounts, "ListAccounts", good, [
            (having(ledger_id=""), "INVALID_UUID", "ledger_id"),
            (having(page_size=-1), "INVALID_FIELD", "page_size"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"),
            (having(page_token="x"), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=tampered), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token, owner="other"), "PAGE_TOKEN_INVALID", "page_token"),
        ])


class Posting(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.clearing = self.ledger.clearing["EUR"]
        self.wallet = self.ledger.wallet("anna", 1000)
        self.other = self.ledger.wallet("bert")

    def declined(self, outcome, reason, field=None):
        self.assertEqual(outcome.WhichOneof("result"), "decline", outcome)
        self.assertEqual(outcome.decline.reason, reason)
        if field is not None:
            self.assertEqual(outcome.decline.field, field)

    def test_direct(self):
        outcome = self.ledger.post(self.wallet, self.other, 300, reference="Miete")
        posted = outcome.posted.transfers[0]
        self.assertFalse(outcome.replayed)
        self.assertEqual(posted.transfer.reference, "Miete")
        self.assertEqual(posted.group_id, posted.transfer.transfer_id)
        self.assertEqual((posted.debit_balances.posted_minor, posted.credit_balances.posted_minor), (700, 300))
        self.assertEqual(self.ledger.balances(self.wallet), posted.debit_balances)
        self.assertEqual(self.ledger.balances(self.other), posted.credit_balances)
        read = self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id=posted.transfer.transfer_id)
        self.assertEqual(read.transfer, posted)
        self.assertEqual(read.hold_state, a.HOLD_STATE_UNSPECIFIED)

    def test_repeat_returns_the_first_outcome(self):
        group = a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 1)])
        first = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.ledger.post(self.wallet, self.other, 1)
        again = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.assertTrue(again.replayed)
        self.assertEqual(again.posted, first.posted)
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 2)

    def test_repeated_decline_is_the_first_decline(self):
        group = a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 5000)])
        first = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.declined(first, "INSUFFICIENT_FUNDS")
        self.ledger.post(self.clearing, self.wallet, 100000)
        again = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.assertTrue(again.replayed)
        self.assertEqual(again.decline, first.decline)

    def test_a_decline_of_before_its_account_was_known(self):
        """It is told as it was told then."""
        group = a.Group(transfers=[self.ledger.transfer(self.wallet, new_id(), 1)])
        first = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.declined(first, "ACCOUNT_NOT_FOUND", "transfers[0].credit_account_id")
        again = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.assertEqual((again.replayed, again.decline), (True, first.decline))
        environment.sql("accounts", "UPDATE declines SET cause_side = NULL "
                                    f"WHERE transfer_id = '{group.transfers[0].transfer_id}'")
        again = self.ledger.accounts.Post(ledger_id=self.ledger.id, group=group).outcome
        self.declined(again, "ACCOUNT_NOT_FOUND", "transfers[0]")

    def test_same_id_other_content(self):
        transfer = self.ledger.transfer(self.wallet, self.other, 10)
        self.ledger.post_group(transfer)
        for field, value in (("amount_minor", 11), ("reference", "x"), ("debit_account_id", self.clearing)):
            changed = a.Transfer()
            changed.CopyFrom(transfer)
            setattr(changed, field, value)
            with self.subTest(field=field), self.nothing_written("accounts"), \
                    self.mismatch("group.transfers[0].transfer_id"):
                self.ledger.post_group(changed)
        new = self.ledger.transfer(self.wallet, self.other, 1)
        for transfers, field in (((transfer, new), "group.transfers[0].transfer_id"),
                                 ((new, transfer), "group.transfers[1].transfer_id")):
            with self.subTest(field=field), self.nothing_written("accounts"), self.mismatch(field):
                self.ledger.post_group(*transfers)

    def test_group_is_atomic(self):
        good = self.ledger.transfer(self.wallet, self.other, 400)
        bad = self.ledger.transfer(self.wallet, self.other, 700)
        before = self.ledger.balances(self.wallet)
        outcome = self.ledger.post_group(good, bad)
        self.declined(outcome, "INSUFFICIENT_FUNDS", "transfers[1].amount_minor")
        self.assertEqual(outcome.decline.transfer_id, bad.transfer_id)
        self.assertEqual(self.ledger.balances(self.wallet), before)
        with self.not_found("TRANSFER_NOT_FOUND"):
            self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id=good.transfer_id)

    def test_group_sees_itself(self):
        third = self.ledger.wallet("cleo")
        outcome = self.ledger.post_group(self.ledger.transfer(self.wallet, self.other, 1000),
                                         self.ledger.transfer(self.other, third, 1000))
        self.assertEqual(outcome.WhichOneof("result"), "posted")
        self.assertEqual([self.ledger.balances(x).posted_minor for x in (self.wallet, self.other, third)],
                         [0, 0, 1000])

    def test_declines(self):
        dollars = self.ledger.open("anna", "USD")
        capped = self.ledger.open("cap", upper=50)
        elsewhere = Ledger().open("anna")
        with self.nothing_written("accounts", but=("declines",)):
            outcomes = (
                ("INSUFFICIENT_FUNDS", ".amount_minor", self.ledger.post(self.wallet, self.other, 1001)),
                ("LIMIT_EXCEEDED", ".amount_minor", self.ledger.post(self.wallet, capped, 51)),
                ("ACCOUNT_NOT_FOUND", ".credit_account_id", self.ledger.post(self.wallet, new_id(), 1)),
                ("ACCOUNT_NOT_FOUND", ".debit_account_id", self.ledger.post(new_id(), self.wallet, 1)),
                ("ACCOUNT_NOT_FOUND", ".debit_account_id", self.ledger.post(new_id(), new_id(), 1)),
                ("ACCOUNT_NOT_FOUND", ".credit_account_id", self.ledger.post(self.wallet, elsewhere, 1)),
                ("CURRENCY_MISMATCH", ".currency", self.ledger.post(self.wallet, dollars, 1)),
                ("HOLD_NOT_FOUND", ".capture.hold_id",
                 self.ledger.post(self.wallet, self.other, 1, kind="capture", hold_id=new_id())),
                ("HOLD_NOT_FOUND", ".release.hold_id",
                 self.ledger.post(self.wallet, self.other, 0, kind="release", hold_id=new_id())),
            )
        for reason, field, outcome in outcomes:
            with self.subTest(reason=reason):
                self.declined(outcome, reason, "transfers[0]" + field)

    def test_balance_overflow(self):
        source, sink = self.ledger.open("bank"), self.ledger.open("bank")
        self.assertEqual(self.ledger.post(source, sink, INT64_MAX).WhichOneof("result"), "posted")
        self.declined(self.ledger.post(source, sink, 1), "BALANCE_OVERFLOW", "transfers[0].amount_minor")
        self.assertEqual(self.ledger.post(sink, source, INT64_MAX).WhichOneof("result"), "posted")
        for account in (source, sink):
            self.assertEqual(self.ledger.balances(account).posted_minor, 0)

    def test_bad_input(self):
        good = a.PostRequest(ledger_id=self.ledger.id,
                             group=a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 1)]))
        where = "group.transfers[0]"

        def first(**fields):
            return lambda request: having(**fields)(request.group.transfers[0])

        def kind(name, **fields):
            def change(request):
                getattr(request.group.transfers[0], name).SetInParent()
                having(**fields)(request.group.transfers[0])
            return change

        with self.nothing_written("accounts"):
            self.check_bad_input(self.ledger.accounts, "Post", good, [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (first(transfer_id="x"), "INVALID_UUID", f"{where}.transfer_id"),
                (first(transfer_id=NIL), "INVALID_UUID", f"{where}.transfer_id"),
                (first(debit_account_id=NIL), "INVALID_UUID", f"{where}.debit_account_id"),
                (first(credit_account_id=NIL), "INVALID_UUID", f"{where}.credit_account_id"),
                (first(debit_account_id=""), "INVALID_UUID", f"{where}.debit_account_id"),
                (first(credit_account_id="-"), "INVALID_UUID", f"{where}.credit_account_id"),
                (first(credit_account_id=self.wallet), "SAME_ACCOUNT", f"{where}.credit_account_id"),
                (first(amount_minor=0), "INVALID_AMOUNT", f"{where}.amount_minor"),
                (first(amount_minor=-1), "INVALID_AMOUNT", f"{where}.amount_minor"),
                (first(amount_minor=-INT64_MAX - 1), "INVALID_AMOUNT", f"{where}.amount_minor"),
                (first(currency="EUROS-AND-A-BIT"), "INVALID_CURRENCY", f"{where}.currency"),
                (first(currency=""), "INVALID_CURRENCY", f"{where}.currency"),
                (first(reference="r" * 129), "INVALID_LENGTH", f"{where}.reference"),
                (first(reference="a\u0007"), "INVALID_TEXT", f"{where}.reference"),
                (lambda request: request.group.transfers[0].ClearField("direct"), "INVALID_FIELD", f"{where}.kind"),
                (kind("capture", capture__hold_id="x"), "INVALID_UUID", f"{where}.capture.hold_id"),
                (kind("capture", capture__hold_id=NIL), "INVALID_UUID", f"{where}.capture.hold_id"),
                (kind("release", release__hold_id=new_id()), "INVALID_AMOUNT", f"{where}.amount_minor"),
                (lambda request: request.group.ClearField("transfers"), "GROUP_EMPTY", "group.transfers"),
                (lambda request: request.ClearField("group"), "GROUP_EMPTY", "group.transfers"),
                (lambda request: request.group.transfers.append(request.group.transfers[0]), "DUPLICATE_ID",
                 "group.transfers[1].transfer_id"),
                (lambda request: request.group.transfers.extend(
                    self.ledger.transfer(self.wallet, self.other, 1) for _ in range(100)), "GROUP_TOO_LARGE",
                 "group.transfers"),
            ])

    def test_reference_that_is_not_utf8(self):
        path, request_class, _ = find_method("accounts", "Post")
        request = request_class(ledger_id=self.ledger.id, group=a.Group(
            transfers=[self.ledger.transfer(self.wallet, self.other, 1, reference="XX")]))
        data = request.SerializeToString().replace(b"\x02XX", b"\x02\xc3\x28")
        with self.nothing_written("accounts"), self.invalid("INVALID_TEXT", "group.transfers[0].reference"):
            self.ledger.accounts.raw(path, data)

    def test_ledger_not_found(self):
        with self.nothing_written("accounts"), self.not_found("LEDGER_NOT_FOUND"):
            self.ledger.accounts.Post(ledger_id=new_id(), group=a.Group(
                transfers=[self.ledger.transfer(self.wallet, self.other, 1)]))

    def test_hundred_transfers(self):
        outcome = self.ledger.post_group(*(self.ledger.transfer(self.wallet, self.other, 1) for _ in range(100)))
        self.assertEqual(len(outcome.posted.transfers), 100)
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 100)

    def test_batch(self):
        accepted = a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 600)])
        declined = a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 600)])
        changed = a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 1)])
        changed.transfers[0].transfer_id = accepted.transfers[0].transfer_id
        request = a.PostBatchRequest(ledger_id=self.ledger.id, groups=[accepted, declined, changed, accepted])
        outcomes = self.ledger.accounts.call("PostBatch", request).outcomes
        self.assertEqual([outcome.WhichOneof("result") for outcome in outcomes],
                         ["posted", "decline", "refusal", "posted"])
        self.assertEqual(outcomes[1].decline.field, "transfers[0].amount_minor")
        self.assertEqual((outcomes[2].refusal.reason, outcomes[2].refusal.field),
                         ("IDEMPOTENCY_PAYLOAD_MISMATCH", "groups[2].transfers[0].transfer_id"))
        self.assertEqual([outcome.replayed for outcome in outcomes], [False, False, False, True])
        again = self.ledger.accounts.call("PostBatch", request).outcomes
        self.assertEqual(again[1].decline, outcomes[1].decline)
        self.assertEqual([outcome.replayed for outcome in again], [True, True, False, True])
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 600)

    def test_batch_bad_input(self):
        group = a.Group(transfers=[self.ledger.transfer(self.wallet, self.other, 1)])
        good = a.PostBatchRequest(ledger_id=self.ledger.id, groups=[group])
        with self.nothing_written("accounts"):
            self.check_bad_input(self.ledger.accounts, "PostBatch", good, [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (lambda request: having(amount_minor=-1)(request.groups[0].transfers[0]), "INVALID_AMOUNT",
                 "groups[0].transfers[0].amount_minor"),
            ])
            for groups in ([], [group] * 1001):
                with self.subTest(count=len(groups)), self.assertRaises(Exception) as caught:
                    self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=groups)
                self.assertEqual(caught.exception.code, grpc.StatusCode.INVALID_ARGUMENT, caught.exception)
                self.assertEqual(caught.exception.fields, ["groups"])

    def test_batch_of_a_thousand(self):
        groups = [a.Group(transfers=[self.ledger.transfer(self.clearing, self.other, 1)]) for _ in range(1000)]
        outcomes = self.ledger.accounts.PostBatch(ledger_id=self.ledger.id, groups=groups).outcomes
        self.assertEqual({outcome.WhichOneof("result") for outcome in outcomes}, {"posted"})
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 1000)

    def test_no_overdraft_whatever_races(self):
        def spend(_):
            return self.ledger.post(self.wallet, self.other, 100).WhichOneof("result")

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(spend, range(40)))
        self.assertEqual(results.count("posted"), 10)
        self.assertEqual(results.count("decline"), 30)
        self.assertEqual(self.ledger.balances(self.wallet).posted_minor, 0)

    def test_same_id_at_once_is_posted_once(self):
        transfer = self.ledger.transfer(self.wallet, self.other, 7)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(lambda _: self.ledger.post_group(transfer), range(16)))
        self.assertEqual([outcome.replayed for outcome in outcomes].count(False), 1)
        self.assertEqual(len({outcome.posted.SerializeToString() for outcome in outcomes}), 1)
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 7)

    def test_get_transfer_errors(self):
        with self.not_found("TRANSFER_NOT_FOUND"):
            self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id=new_id())
        with self.invalid("INVALID_UUID", "transfer_id"):
            self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id="x")


class Holds(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.wallet = self.ledger.wallet("anna", 1000)
        self.other = self.ledger.wallet("bert")
        self.hold = self.ledger.transfer(self.wallet, self.other, 600, kind="hold")
        self.ledger.post_group(self.hold)

    def end(self, kind, amount_minor, hold_id=None):
        return self.ledger.post(self.wallet, self.other, amount_minor, kind=kind,
                                hold_id=hold_id or self.hold.transfer_id)

    def declined(self, outcome, reason, field):
        self.assertEqual((outcome.decline.reason, outcome.decline.field), (reason, f"transfers[0].{field}"), outcome)

    def read(self):
        return self.ledger.accounts.GetTransfer(ledger_id=self.ledger.id, transfer_id=self.hold.transfer_id)

    def test_hold_takes_what_is_available(self):
        balances = self.ledger.balances(self.wallet)
        self.assertEqual((balances.posted_minor, balances.available_minor, balances.debits_pending_minor),
                         (1000, 400, 600))
        self.assertEqual(self.ledger.balances(self.other).available_minor, 0)
        self.assertEqual(self.ledger.post(self.wallet, self.other, 401).decline.reason, "INSUFFICIENT_FUNDS")
        self.assertEqual(self.read().hold_state, a.HOLD_STATE_PENDING)

    def test_capture_part_releases_the_rest(self):
        self.assertEqual(self.end("capture", 250).WhichOneof("result"), "posted")
        wallet, other = self.ledger.balances(self.wallet), self.ledger.balances(self.other)
        self.assertEqual((wallet.posted_minor, wallet.available_minor, wallet.debits_pending_minor), (750, 750, 0))
        self.assertEqual((other.posted_minor, other.credits_pending_minor), (250, 0))
        read = self.read()
        self.assertEqual((read.hold_state, read.captured_minor), (a.HOLD_STATE_CAPTURED, 250))
        for kind, amount in (("capture", 1), ("release", 0)):
            self.declined(self.end(kind, amount), "ALREADY_CAPTURED", f"{kind}.hold_id")

    def test_release(self):
        self.assertEqual(self.end("release", 0).WhichOneof("result"), "posted")
        self.assertEqual(self.ledger.balances(self.wallet).available_minor, 1000)
        self.assertEqual(self.read().hold_state, a.HOLD_STATE_RELEASED)
        for kind, amount in (("capture", 1), ("release", 0)):
            self.declined(self.end(kind, amount), "ALREADY_RELEASED", f"{kind}.hold_id")

    def test_capture_more_than_held(self):
        self.declined(self.end("capture", 601), "CAPTURE_EXCEEDS_HOLD", "amount_minor")
        self.assertEqual(self.read().hold_state, a.HOLD_STATE_PENDING)

    def test_hold_of_other_accounts(self):
        third = self.ledger.wallet("cleo")
        outcome = self.ledger.post(self.wallet, third, 1, kind="capture", hold_id=self.hold.transfer_id)
        self.declined(outcome, "HOLD_MISMATCH", "capture.hold_id")

    def test_a_transfer_is_no_hold(self):
        direct = self.ledger.transfer(self.wallet, self.other, 1)
        self.ledger.post_group(direct)
        self.assertEqual(self.end("capture", 1, direct.transfer_id).decline.reason, "HOLD_NOT_FOUND")

    def test_one_of_many_captures_wins(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: self.end("capture", 600).WhichOneof("result"), range(8)))
        self.assertEqual(outcomes.count("posted"), 1)
        self.assertEqual(self.ledger.balances(self.other).posted_minor, 600)


class Statements(Case):
    def test_statement_adds_up(self):
        ledger = Ledger()
        wallet, other = ledger.wallet("anna", 1000), ledger.wallet("bert")
        for amount in (10, 20, 30):
            ledger.post(wallet, other, amount)
        hold = ledger.transfer(wallet, other, 100, kind="hold")
        ledger.post_group(hold)
        ledger.post(wallet, other, 40, kind="capture", hold_id=hold.transfer_id)
        entries = ledger.statement(wallet, page_size=2)
        self.assertEqual([entry.sequence for entry in entries], [1, 2, 3, 4, 5, 6])
        self.assertEqual([entry.balances.posted_minor for entry in entries], [1000, 990, 970, 940, 940, 900])
        self.assertEqual(entries[-1].balances, ledger.balances(wallet))
        self.assertEqual(ledger.statement(wallet), entries)

    def test_bad_input(self):
        ledger = Ledger()
        wallet = ledger.wallet("anna", 1)
        ledger.post(ledger.clearing["EUR"], wallet, 1)
        stub = ledger.accounts
        token = stub.GetStatement(ledger_id=ledger.id, account_id=wallet, page_size=1).next_page_token
        self.check_bad_input(stub, "GetStatement", a.GetStatementRequest(ledger_id=ledger.id, account_id=wallet), [
            (having(page_size=-1), "INVALID_FIELD", "page_size"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"),
            (having(page_token="%%"), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token, account_id=ledger.clearing["EUR"]), "PAGE_TOKEN_INVALID", "page_token"),
        ])

    def test_trial_balance(self):
        ledger = Ledger(("EUR", "USD"))
        ledger.wallet("anna", 700)
        ledger.wallet("anna", 900, "USD")
        balance = ledger.trial_balance()
        self.assertTrue(balance.balanced)
        self.assertEqual([(line.currency, line.account_count, line.debits_posted_minor, line.credits_posted_minor)
                          for line in balance.lines], [("EUR", 2, 700, 700), ("USD", 2, 900, 900)])
        with self.not_found("LEDGER_NOT_FOUND"):
            ledger.accounts.GetTrialBalance(ledger_id=new_id())
        with self.invalid("INVALID_UUID", "ledger_id"):
            ledger.accounts.GetTrialBalance(ledger_id="")


class TakingTurns(Case):
    """Somebody else has the ledger, as another replica's batch would."""

    def setUp(self):
        self.ledger = Ledger()
        self.wallet = self.ledger.wallet("anna")

    @contextlib.contextmanager
    def taken(self):
        """The ledger is somebody else's while the block runs."""
        other = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", os.environ["DALER_ACCOUNTS_DB"]],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            other.stdin.write(f"BEGIN; SELECT 1 FROM ledgers WHERE ledger_id = '{self.ledger.id}' FOR NO KEY UPDATE;\n")
            other.stdin.flush()
            self.assertEqual(other.stdout.readline(), "1\n")
            yield
        finally:
            other.communicate("COMMIT;\n", timeout=20)

    def post(self, _=None):
        """When it was posted."""
        return self.ledger.post(self.ledger.clearing["EUR"], self.wallet, 1).posted.transfers[0].create_time

    def lane_waits(self):
        return environment.sql_value("super", "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                     "AND usename = 'accounts_service'") == "1"

    def queued(self):
        return environment.metric_sum("accounts", "daler_commit_queue_length")

    def test_what_comes_while_a_few_wait_joins_them(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            with self.taken():
                before = pool.submit(self.post)
                environment.wait_until(self.lane_waits, 20, "the first waits for the ledger")
                time.sleep(0.01)  # longer than a round trip takes
            before.result()
            with self.taken():
                first = pool.submit(self.post)
                environment.wait_until(self.lane_waits, 20, "the first of a batch waits for the ledger")
                others = [pool.submit(self.post) for _ in range(5)]
                environment.wait_until(lambda: self.queued() == 5, 20, "the others are queued")
            times = {one.result().SerializeToString() for one in (first, *others)}
        self.assertEqual(len(times), 1, "one transaction has one time")


class Corrupt(Case):
    """Rows that only somebody else can have spoiled stop nobody but those who need them."""

    def setUp(self):
        self.ledger = Ledger()
        self.spoiled, self.other = self.ledger.wallet("anna", 1000), self.ledger.wallet("bert")
        self.sound = [self.ledger.wallet(f"carl {n}", 1000) for n in range(16)]

    def others_go_on(self, *transfer, **more):
        """While a transfer is refused that needs what is spoiled, others of its ledger go on."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            refused = [pool.submit(self.ledger.post, *transfer, **more) for _ in range(4)]
            posted = [pool.submit(self.ledger.post, wallet, self.other, 1) for wallet in self.sound]
            self.assertEqual({one.result().WhichOneof("result") for one in posted}, {"posted"})
            for one in refused:
                with self.refused(grpc.StatusCode.INTERNAL, "INVARIANT_BROKEN"):
                    one.result()
        self.assertLess(time.monotonic() - began, 3 * PATIENCE)

    def test_an_account_that_lost_an_entry(self):
        self.ledger.post(self.spoiled, self.other, 1)
        environment.sql("accounts", f"UPDATE accounts SET sequence = 1 WHERE account_id = '{self.spoiled}'")
        self.others_go_on(self.spoiled, self.other, 1)

    def test_a_hold_that_no_transfer_made(self):
        hold_id = new_id()
        environment.sql("accounts", f"INSERT INTO holds VALUES ('{self.ledger.id}', '{hold_id}', '{self.spoiled}', "
                                    f"'{self.other}', 1, 0, 1)")
        self.others_go_on(self.spoiled, self.other, 1, kind="hold", transfer_id=hold_id)


class Players(Case):
    """A player, through the gateway, sees their own and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.ledger = Ledger()
        cls.anna, cls.bert = world.person(), world.person()
        cls.wallet = cls.ledger.wallet(cls.anna.user_id, 500)
        cls.foreign = cls.ledger.wallet(cls.bert.user_id, 500)

    def test_reads_own_account(self):
        stub = self.anna.at("accounts")
        key = {"ledger_id": self.ledger.id, "account_id": self.wallet}
        self.assertEqual(stub.GetAccount(**key).account.balances.posted_minor, 500)
        self.assertEqual(stub.GetStatement(**key).account.owner, self.anna.user_id)
        self.assertEqual(len(stub.GetStatement(**key).entries), 1)

    def test_however_the_owner_was_written(self):
        carla = world.person()
        account = world.new_account(carla.user_id.upper())
        operator = world.operator("accounts")
        operator.CreateAccounts(ledger_id=self.ledger.id, accounts=[account])
        stub = carla.at("accounts")
        key = {"ledger_id": self.ledger.id, "account_id": account.account_id}
        self.assertEqual(stub.GetAccount(**key).account.metadata.owner, carla.user_id)
        self.assertEqual(stub.GetStatement(**key).account.owner, carla.user_id)
        for listing, owner in ((stub, ""), (stub, carla.user_id.upper()), (operator, carla.user_id),
                               (operator, carla.user_id.upper())):
            listed = listing.ListAccounts(ledger_id=self.ledger.id, owner=owner).accounts
            self.assertEqual([one.metadata.account_id for one in listed], [account.account_id])
        account.owner = carla.user_id
        self.assertTrue(operator.CreateAccounts(ledger_id=self.ledger.id, accounts=[account]).replayed)

    def test_foreign_account_is_as_if_not_there(self):
        stub = self.anna.at("accounts")
        for method in ("GetAccount", "GetStatement"):
            answers = set()
            for account_id in (self.foreign, self.ledger.clearing["EUR"], new_id()):
                with self.subTest(method=method), self.assertRaises(Exception) as caught:
                    stub.call(method, ledger_id=self.ledger.id, account_id=account_id)
                error = caught.exception
                self.assertIn(error.code, (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED))
                answers.add((error.code, error.reason, error.message))
            self.assertEqual(len(answers), 1, answers)

    def test_lists_own_accounts_alone(self):
        stub = self.anna.at("accounts")
        own = stub.ListAccounts(ledger_id=self.ledger.id, owner=self.anna.user_id).accounts
        self.assertEqual([account.metadata.account_id for account in own], [self.wallet])
        with self.refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
            stub.ListAccounts(ledger_id=self.ledger.id, owner=self.bert.user_id)
        try:
            listed = stub.ListAccounts(ledger_id=self.ledger.id).accounts
            self.assertEqual([account.metadata.account_id for account in listed], [self.wallet])
        except Refused as refused:
            self.assertEqual(refused.reason, "PERMISSION_DENIED")


if __name__ == "__main__":
    unittest.main()
