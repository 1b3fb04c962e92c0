"""accounts through its wire: changes of accounts, assets, lists, and who may do what about them."""

import concurrent.futures
import itertools
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.client import Refused, Stub, find_method
from support.contracts import accounts as a
from support.world import Ledger, new_account, new_id

INT64_MAX = (1 << 63) - 1


class Updates(Case):
    def setUp(self):
        self.ledger = Ledger()
        self.accounts = self.ledger.accounts
        self.wallet = self.ledger.wallet("anna", 1000)

    def request(self, *paths, version=1, **fields):
        limits = {name: a.Limit(amount_minor=fields.pop(name)) for name in ("lower_limit", "upper_limit")
                  if fields.get(name) is not None}
        request = a.UpdateAccountRequest(ledger_id=self.ledger.id, account_id=self.wallet, expected_version=version,
                                         **fields, **limits)
        request.update_mask.paths.extend(paths)
        return request

    def update(self, *paths, **more):
        return self.accounts.call("UpdateAccount", self.request(*paths, **more))

    def metadata(self):
        return self.accounts.GetAccountMetadata(ledger_id=self.ledger.id, account_id=self.wallet).metadata

    def no(self, reason, field=None):
        return self.refused(grpc.StatusCode.FAILED_PRECONDITION, reason, field)

    def test_each_field(self):
        self.update("label", label="neu, ü")
        self.update("status", version=2, status=a.ACCOUNT_STATUS_FROZEN)
        self.update("lower_limit", version=3, lower_limit=-50)
        self.update("upper_limit", "credit_line_minor", version=4, upper_limit=5000, credit_line_minor=70)
        metadata = self.metadata()
        self.assertEqual((metadata.label, metadata.status, metadata.lower_limit.amount_minor,
                          metadata.upper_limit.amount_minor, metadata.credit_line_minor, metadata.version),
                         ("neu, ü", a.ACCOUNT_STATUS_FROZEN, -50, 5000, 70, 5))
        reply = self.update("lower_limit", "upper_limit", version=5)
        self.assertFalse(reply.metadata.HasField("lower_limit") or reply.metadata.HasField("upper_limit"))
        self.assertEqual(reply.metadata, self.metadata())
        account = self.accounts.GetAccount(ledger_id=self.ledger.id, account_id=self.wallet).account
        self.assertEqual((account.metadata, account.balances.posted_minor), (reply.metadata, 1000))

    def test_only_what_is_named_changes(self):
        self.update("label", label="x", status=a.ACCOUNT_STATUS_BLOCKED, credit_line_minor=9, upper_limit=1)
        metadata = self.metadata()
        self.assertEqual((metadata.label, metadata.status, metadata.credit_line_minor),
                         ("x", a.ACCOUNT_STATUS_ACTIVE, 0))
        self.assertFalse(metadata.HasField("upper_limit"))

    def test_repeat_returns_the_first_outcome(self):
        first = self.update("label", label="one")
        again = self.update("label", label="one")
        self.assertEqual((first.replayed, again.replayed), (False, True))
        self.assertEqual(first.metadata, again.metadata)
        self.update("label", version=2, label="two")
        late = self.update("label", label="one")
        self.assertTrue(late.replayed)
        self.assertEqual(late.metadata, first.metadata)
        self.assertEqual(self.metadata().label, "two")

    def test_stale_version(self):
        self.update("label", label="one")
        for version in (1, 3, INT64_MAX):
            with self.subTest(version=version), \
                    self.refused(grpc.StatusCode.ABORTED, "VERSION_CONFLICT", "expected_version"), \
                    self.nothing_written("accounts"):
                self.update("label", version=version, label="other")
        self.assertEqual(self.metadata().label, "one")

    def test_of_many_at_once_one_wins(self):
        def change(number):
            try:
                return self.update("label", label=f"label {number}").replayed
            except Refused as refused:
                return refused.reason
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(change, range(8)))
        self.assertEqual(outcomes.count(False), 1, outcomes)
        self.assertEqual(outcomes.count("VERSION_CONFLICT"), 7, outcomes)
        self.assertEqual(self.metadata().version, 2)

    def test_bad_input(self):
        with self.nothing_written("accounts"):
            self.check_bad_input(self.accounts, "UpdateAccount", self.request("label", label="x"), [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (having(account_id=""), "INVALID_UUID", "account_id"),
                (having(account_id="00000000-0000-0000-0000-000000000000"), "INVALID_UUID", "account_id"),
                (having(expected_version=0), "INVALID_FIELD", "expected_version"),
                (having(expected_version=-1), "INVALID_FIELD", "expected_version"),
                (lambda request: request.ClearField("update_mask"), "INVALID_FIELD", "update_mask"),
                (lambda request: request.update_mask.paths.append("owner"), "INVALID_FIELD", "update_mask"),
                (lambda request: request.update_mask.paths.append("*"), "INVALID_FIELD", "update_mask"),
                (having(label="ü" * 129), "INVALID_LENGTH", "label"),
                (having(label="a\tb"), "INVALID_TEXT", "label"),
            ])
            self.check_bad_input(self.accounts, "UpdateAccount", self.request("status"), [
                (having(status=0), "INVALID_FIELD", "status"),
                (having(status=9), "INVALID_FIELD", "status"),
            ])
            self.check_bad_input(self.accounts, "UpdateAccount", self.request(
                "lower_limit", "upper_limit", "credit_line_minor", lower_limit=0, upper_limit=5000), [
                (having(credit_line_minor=-1), "INVALID_AMOUNT", "credit_line_minor"),
                (having(upper_limit__amount_minor=-1), "LIMITS_CONTRADICT", "upper_limit"),
            ])
        self.assertEqual(self.metadata().version, 1)

    def test_text_that_is_not_utf8(self):
        path, _, _ = find_method("accounts", "UpdateAccount")
        data = self.request("label", label="XX").SerializeToString().replace(b"\x02XX", b"\x02\xc3\x28")
        with self.nothing_written("accounts"), self.invalid("INVALID_TEXT", "label"):
            Stub("accounts", "operator", world.operator_token()).raw(path, data)

    def test_limits_that_contradict(self):
        with self.nothing_written("accounts"), self.no("LIMITS_CONTRADICT", "upper_limit"):
            self.update("upper_limit", upper_limit=-1)
        self.update("lower_limit", lower_limit=-1)
        with self.nothing_written("accounts"), self.no("LIMITS_CONTRADICT", "credit_line_minor"):
            self.update("lower_limit", "credit_line_minor", version=2, lower_limit=-2, credit_line_minor=INT64_MAX)

    def test_limits_that_the_balance_breaks(self):
        other = self.ledger.wallet("bert")
        self.ledger.post(self.wallet, other, 300, kind="hold")
        with self.nothing_written("accounts"):
            with self.no("BALANCE_BELOW_LIMIT", "lower_limit"):
                self.update("lower_limit", lower_limit=701)
            with self.no("BALANCE_ABOVE_LIMIT", "upper_limit"):
                self.update("upper_limit", upper_limit=999)
        self.update("lower_limit", lower_limit=700)
        self.assertEqual(self.ledger.post(self.wallet, other, 1).decline.reason, "INSUFFICIENT_FUNDS")
        self.update("credit_line_minor", version=2, credit_line_minor=1)
        self.assertEqual(self.ledger.post(self.wallet, other, 1).WhichOneof("result"), "posted")
        with self.nothing_written("accounts"), self.no("BALANCE_BELOW_LIMIT", "credit_line_minor"):
            self.update("credit_line_minor", version=3, credit_line_minor=0)

    def test_closing(self):
        with self.nothing_written("accounts"), self.no("ACCOUNT_NOT_EMPTY", "status"):
            self.update("status", status=a.ACCOUNT_STATUS_CLOSED)
        hold = self.ledger.transfer(self.wallet, self.ledger.clearing["EUR"], 1000, kind="hold")
        self.ledger.post_group(hold)
        with self.nothing_written("accounts"), self.no("ACCOUNT_HAS_HOLDS", "status"):
            self.update("status", status=a.ACCOUNT_STATUS_CLOSED)
        self.ledger.post(self.wallet, self.ledger.clearing["EUR"], 1000, kind="capture", hold_id=hold.transfer_id)
        self.update("status", status=a.ACCOUNT_STATUS_CLOSED)
        self.assertEqual(self.ledger.post(self.ledger.clearing["EUR"], self.wallet, 1).decline.reason, "ACCOUNT_CLOSED")
        for paths, fields in (("status",), {"status": a.ACCOUNT_STATUS_ACTIVE}), (("label",), {"label": "x"}):
            with self.nothing_written("accounts"), self.no("ACCOUNT_CLOSED", "account_id"):
                self.update(*paths, version=2, **fields)

    def test_a_posting_acts_on_the_new_status(self):
        other = self.ledger.wallet("bert")
        for version, status, reason in ((1, "FROZEN", "ACCOUNT_FROZEN"), (2, "BLOCKED", "ACCOUNT_BLOCKED")):
            self.update("status", version=version, status=getattr(a, f"ACCOUNT_STATUS_{status}"))
            decline = self.ledger.post(self.wallet, other, 1).decline
            self.assertEqual((decline.reason, decline.field), (reason, "transfers[0].debit_account_id"))
        decline = self.ledger.post(other, self.wallet, 1).decline
        self.assertEqual((decline.reason, decline.field), ("ACCOUNT_BLOCKED", "transfers[0].credit_account_id"))
        self.update("status", version=3, status=a.ACCOUNT_STATUS_ACTIVE)
        self.assertEqual(self.ledger.post(self.wallet, other, 1).WhichOneof("result"), "posted")

    def test_not_found(self):
        with self.not_found("ACCOUNT_NOT_FOUND", "account_id"):
            self.accounts.UpdateAccount(ledger_id=Ledger(()).id, account_id=self.wallet, expected_version=1,
                                        update_mask={"paths": ["label"]}, label="x")

    def test_who_changed_what_is_on_record(self):
        self.update("label", "lower_limit", label="neu", lower_limit=-5)
        rows = environment.sql("accounts", f"""SELECT version, sequence, identity, user_id IS NOT NULL, old_label, new_label,
            old_lower_limit_minor, new_lower_limit_minor, old_status, new_status
            FROM account_changes WHERE account_id = '{self.wallet}'""")
        self.assertEqual(rows, [["2", "1", "operator", "t", "wallet", "neu", "0", "-5", "1", "1"]])

    def test_the_service_may_change_nothing_else(self):
        for table, privilege, columns in (
                ("account_changes", "UPDATE", []), ("assets", "UPDATE", []),
                ("accounts", "UPDATE", ["credit_line_minor", "credits_pending_minor", "credits_posted_minor",
                                        "debits_pending_minor", "debits_posted_minor", "label", "last_entry",
                                        "lower_limit_minor", "sequence", "status", "upper_limit_minor", "version"])):
            with self.subTest(table=table):
                rows = environment.sql("accounts", f"""SELECT column_name FROM information_schema.columns
                    WHERE table_name = '{table}'
                    AND has_column_privilege('accounts_service', '{table}', column_name, '{privilege}')
                    ORDER BY column_name""")
                self.assertEqual([row[0] for row in rows], columns)
                self.assertEqual(environment.sql_value("accounts", f"""SELECT
                    has_table_privilege('accounts_service', '{table}', 'DELETE, TRUNCATE')"""), "f")


class Assets(Case):
    def setUp(self):
        self.ledger = Ledger(())
        self.accounts = self.ledger.accounts

    def test_register_repeat_list(self):
        first = self.accounts.RegisterAsset(ledger_id=self.ledger.id, code="GOLD", exponent=3)
        again = self.accounts.RegisterAsset(ledger_id=self.ledger.id, code="GOLD", exponent=3)
        self.assertEqual((first.replayed, again.replayed), (False, True))
        self.assertEqual(first.asset, again.asset)
        with self.mismatch("code"):
            self.accounts.RegisterAsset(ledger_id=self.ledger.id, code="GOLD", exponent=2)
        self.accounts.RegisterAsset(ledger_id=self.ledger.id, code="BONUS12345AB", exponent=0)
        listed = self.accounts.ListAssets(ledger_id=self.ledger.id).assets
        self.assertEqual([(asset.code, asset.exponent) for asset in listed], [("BONUS12345AB", 0), ("GOLD", 3)])

    def test_bad_input(self):
        good = a.RegisterAssetRequest(ledger_id=self.ledger.id, code="GOLD", exponent=3)
        with self.nothing_written("accounts"):
            self.check_bad_input(self.accounts, "RegisterAsset", good, [
                (having(ledger_id=""), "INVALID_UUID", "ledger_id"),
                (having(code=""), "INVALID_CURRENCY", "code"),
                (having(code="AB"), "INVALID_CURRENCY", "code"),
                (having(code="1AB"), "INVALID_CURRENCY", "code"),
                (having(code="gold"), "INVALID_CURRENCY", "code"),
                (having(code="ABCDEFGHIJKLM"), "INVALID_CURRENCY", "code"),
                (having(code="EUR"), "INVALID_CURRENCY", "code"),
                (having(exponent=-1), "INVALID_FIELD", "exponent"),
                (having(exponent=19), "INVALID_FIELD", "exponent"),
            ])
        with self.not_found("LEDGER_NOT_FOUND"):
            self.accounts.RegisterAsset(ledger_id=new_id(), code="GOLD", exponent=3)
        with self.not_found("LEDGER_NOT_FOUND"):
            self.accounts.ListAssets(ledger_id=new_id())

    def test_accounts_and_transfers(self):
        self.accounts.RegisterAsset(ledger_id=self.ledger.id, code="GOLD", exponent=3)
        source = self.ledger.open("mint", "GOLD", side=a.NORMAL_SIDE_DEBIT)
        wallet = self.ledger.open("anna", "GOLD", lower=0)
        self.assertEqual(self.ledger.post(source, wallet, 5, "GOLD").WhichOneof("result"), "posted")
        self.assertEqual(self.ledger.post(source, wallet, 5, "EUR").decline.reason, "CURRENCY_MISMATCH")
        self.assertEqual([line.currency for line in self.ledger.trial_balance().lines], ["GOLD"])
        listed = self.accounts.ListAccounts(ledger_id=self.ledger.id, currency="GOLD").accounts
        self.assertEqual(len(listed), 2)

    def test_only_in_its_ledger(self):
        self.accounts.RegisterAsset(ledger_id=Ledger(()).id, code="GOLD", exponent=3)
        with self.invalid("INVALID_CURRENCY", "accounts[1].currency"), self.nothing_written("accounts"):
            self.accounts.CreateAccounts(ledger_id=self.ledger.id, accounts=[
                new_account("anna"), new_account("anna", "GOLD")])

    def test_same_asset_at_once(self):
        def register(_):
            return self.accounts.RegisterAsset(ledger_id=self.ledger.id, code="GOLD", exponent=3).replayed
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(list(pool.map(register, range(8))).count(False), 1)


class Reads(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Ledger()
        cls.accounts = cls.ledger.accounts
        cls.ids = [cls.ledger.open(owner, label=label) for owner, label in
                   (("anna", "main"), ("anna", "bonus"), ("bert", "main"), ("bert", ""), ("anna", "main"))]
        cls.accounts.UpdateAccount(ledger_id=cls.ledger.id, account_id=cls.ids[0], expected_version=1,
                                   update_mask={"paths": ["status"]}, status=a.ACCOUNT_STATUS_FROZEN)

    def test_many_in_the_order_of_the_request(self):
        wanted = [self.ids[3], self.ids[0], self.ids[3], self.ledger.clearing["EUR"]]
        accounts = self.accounts.GetAccounts(ledger_id=self.ledger.id, account_ids=wanted).accounts
        self.assertEqual([account.metadata.account_id for account in accounts], wanted)
        self.assertEqual(accounts[1], self.accounts.GetAccount(ledger_id=self.ledger.id, account_id=wanted[1]).account)

    def test_many_bad_input(self):
        for ids, reason, field in (([], "INVALID_LENGTH", "account_ids"), (["x"], "INVALID_UUID", "account_ids[0]"),
                                   ([self.ids[0], ""], "INVALID_UUID", "account_ids[1]"),
                                   ([self.ids[0]] * 1001, "INVALID_LENGTH", "account_ids")):
            with self.subTest(field=field), self.invalid(reason, field):
                self.accounts.GetAccounts(ledger_id=self.ledger.id, account_ids=ids)
        with self.not_found("ACCOUNT_NOT_FOUND", "account_ids[1]"):
            self.accounts.GetAccounts(ledger_id=self.ledger.id, account_ids=[self.ids[0], new_id()])

    def test_players_get_their_own_alone(self):
        anna = world.person()
        own = self.ledger.wallet(anna.user_id)
        stub = anna.at("accounts")
        self.assertEqual(len(stub.GetAccounts(ledger_id=self.ledger.id, account_ids=[own]).accounts), 1)
        messages = set()
        for foreign in (self.ids[0], new_id()):
            with self.assertRaises(Refused) as caught:
                stub.GetAccounts(ledger_id=self.ledger.id, account_ids=[own, foreign])
            messages.add((caught.exception.reason, caught.exception.message))
        self.assertEqual(len(messages), 1, messages)
        self.assertEqual(messages.pop()[0], "ACCOUNT_NOT_FOUND")

    def listed(self, **filters):
        seen, token = [], ""
        while True:
            page = self.accounts.ListAccounts(ledger_id=self.ledger.id, page_size=1, page_token=token, **filters)
            seen.extend(account.metadata.account_id for account in page.accounts)
            token = page.next_page_token
            if not token:
                return seen

    def test_filters(self):
        ids = self.ids
        self.assertEqual(self.listed(label="main"), sorted([ids[0], ids[2], ids[4]]))
        self.assertEqual(self.listed(label="main", owner="anna"), sorted([ids[0], ids[4]]))
        self.assertEqual(self.listed(label="main", status=a.ACCOUNT_STATUS_ACTIVE), sorted([ids[2], ids[4]]))
        self.assertEqual(self.listed(status=a.ACCOUNT_STATUS_FROZEN), [ids[0]])
        self.assertEqual(self.listed(owner="anna", status=a.ACCOUNT_STATUS_FROZEN, currency="EUR"), [ids[0]])
        self.assertEqual(self.listed(label="main", currency="USD"), [])

    def test_filters_together(self):
        """Each of the lists, whichever filters are asked for beside its own."""
        self.ledger.open("bert", "USD", label="dollars")
        metadata = [account.metadata for account in self.accounts.ListAccounts(ledger_id=self.ledger.id).accounts]
        for values in itertools.product(("", "anna", "bert"), ("", "EUR", "USD", "GBP"), ("", "main", "dollars"),
                                        (0, a.ACCOUNT_STATUS_ACTIVE, a.ACCOUNT_STATUS_FROZEN, a.ACCOUNT_STATUS_CLOSED)):
            filters = dict(zip(("owner", "currency", "label", "status"), values))
            with self.subTest(**filters):
                self.assertEqual(self.listed(**filters), [
                    one.account_id for one in metadata
                    if all(not value or getattr(one, name) == value for name, value in filters.items())])

    def test_tokens_are_of_their_filter(self):
        token = self.accounts.ListAccounts(ledger_id=self.ledger.id, label="main", page_size=1).next_page_token
        good = a.ListAccountsRequest(ledger_id=self.ledger.id, label="main", page_token=token, page_size=1)
        self.accounts.call("ListAccounts", good)
        tampered = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:] for i in range(len(token))]
        self.check_bad_input(self.accounts, "ListAccounts", good, [
            *((having(page_token=text), "PAGE_TOKEN_INVALID", "page_token") for text in tampered),
            (having(label="bonus"), "PAGE_TOKEN_INVALID", "page_token"),
            (having(label=""), "PAGE_TOKEN_INVALID", "page_token"),
            (having(status=1), "PAGE_TOKEN_INVALID", "page_token"),
            (having(currency="EUR"), "PAGE_TOKEN_INVALID", "page_token"),
            (having(page_token=token + "A"), "PAGE_TOKEN_INVALID", "page_token"),
            (having(status=17), "INVALID_FIELD", "status"),
            (having(label="l" * 129), "INVALID_LENGTH", "label"),
            (having(currency="eur"), "INVALID_CURRENCY", "currency"),
        ])


if __name__ == "__main__":
    unittest.main()
