"""Ids, people and money for tests."""

import functools
import hashlib
import os
import secrets
import time
import uuid

from .client import Stub
from .contracts import accounts as a
from .contracts import auth as u
from .contracts import payments as p


def new_id():
    """A UUID of version 7."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def derived(space, name):
    """As services derive ids."""
    space = uuid.UUID(space).bytes
    digest = hashlib.sha256()
    for tag, value in ((b"b", space), (b"t", name.encode())):
        digest.update(tag + len(value).to_bytes(8, "big") + value)
    value = int.from_bytes(space[:6] + digest.digest()[:10], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def operator_token():
    return os.environ["DALER_TOKEN"]


def operator(target):
    """The operator company's person, with token."""
    return Stub(target, "operator", operator_token())


@functools.lru_cache(maxsize=None)
def auditor_token():
    return person(u.ROLE_AUDITOR).token


class Person:
    def __init__(self, user_id, username, password, token):
        self.user_id = user_id
        self.username = username
        self.password = password
        self.token = token

    def at(self, target):
        """This player's calls, through the gateway."""
        return Stub(target, "gateway", self.token)


def person(role=None):
    """A new user who has logged in; a player unless said otherwise."""
    role = role if role is not None else u.ROLE_PLAYER
    name = f"user-{secrets.token_hex(6)}"
    password = f"Geheim-{secrets.token_hex(8)}"
    user_id = new_id()
    stub = Stub("auth", "gateway") if role == u.ROLE_PLAYER else operator("auth")
    stub.CreateUser(user_id=user_id, username=name, password=password, role=role)
    token = Stub("auth", "gateway" if role == u.ROLE_PLAYER else "operator").LogIn(
        username=name, password=password).access_token
    return Person(user_id, name, password, token)


def new_account(owner="house", currency="EUR", side=None, lower=None, upper=None, label="", account_id=None):
    account = a.NewAccount(account_id=account_id or new_id(), owner=owner, currency=currency,
                           normal_side=side or a.NORMAL_SIDE_CREDIT, label=label)
    if lower is not None:
        account.lower_limit.amount_minor = lower
    if upper is not None:
        account.upper_limit.amount_minor = upper
    return account


class Ledger:
    """A new ledger with an account for money from outside, and ways to move money."""

    def __init__(self, currencies=("EUR",)):
        self.id = new_id()
        self.accounts = operator("accounts")
        self.accounts.CreateLedger(ledger_id=self.id, name="test")
        self.clearing = {}
        for currency in currencies:
            self.clearing[currency] = self.open("psp", currency, side=a.NORMAL_SIDE_DEBIT, label="clearing")

    def open(self, owner="house", currency="EUR", **more):
        """Opens an account; returns its id."""
        account = new_account(owner, currency, **more)
        self.accounts.CreateAccounts(ledger_id=self.id, accounts=[account])
        return account.account_id

    def wallet(self, owner, amount_minor=0, currency="EUR"):
        """A wallet that can't be overdrawn, with money from the clearing account."""
        wallet = self.open(owner, currency, lower=0, label="wallet")
        if amount_minor:
            outcome = self.post(self.clearing[currency], wallet, amount_minor, currency)
            assert outcome.WhichOneof("result") == "posted", outcome
        return wallet

    def transfer(self, debit, credit, amount_minor, currency="EUR", kind="direct", hold_id=None, transfer_id=None,
                 reference=""):
        transfer = a.Transfer(transfer_id=transfer_id or new_id(), debit_account_id=debit, credit_account_id=credit,
                              amount_minor=amount_minor, currency=currency, reference=reference)
        getattr(transfer, kind).SetInParent()
        if hold_id is not None:
            getattr(transfer, kind).hold_id = hold_id
        return transfer

    def post_group(self, *transfers):
        return self.accounts.Post(ledger_id=self.id, group=a.Group(transfers=transfers)).outcome

    def post(self, debit, credit, amount_minor, currency="EUR", **more):
        return self.post_group(self.transfer(debit, credit, amount_minor, currency, **more))

    def balances(self, account_id):
        return self.accounts.GetAccount(ledger_id=self.id, account_id=account_id).account.balances

    def trial_balance(self):
        return self.accounts.GetTrialBalance(ledger_id=self.id)

    def statement(self, account_id, page_size=1000):
        """All entries."""
        entries, token = [], ""
        while True:
            page = self.accounts.GetStatement(ledger_id=self.id, account_id=account_id, page_size=page_size,
                                              page_token=token)
            entries.extend(page.entries)
            token = page.next_page_token
            if not token:
                return entries


class Market(Ledger):
    """A ledger that can pay: its accounts for money from outside are the connector's clearing accounts."""

    def __init__(self, currencies=("EUR",), connector="simulator"):
        super().__init__(currencies)
        self.payments = operator("payments")
        for currency, account_id in self.clearing.items():
            self.payments.RegisterClearingAccount(ledger_id=self.id, connector=connector, currency=currency,
                                                  account_id=account_id)


def deposit(ledger, account, amount_minor, key=None, instrument="sim:ok", currency="EUR", reference="",
            connector="simulator"):
    return p.CreatePaymentRequest(
        idempotency_key=key or new_id(), ledger_id=ledger.id, amount_minor=amount_minor, currency=currency,
        deposit=p.Deposit(account_id=account, connector=connector, instrument=instrument), reference=reference)


def withdrawal(ledger, account, amount_minor, key=None, instrument="sim:ok", currency="EUR", reference="",
               connector="simulator"):
    return p.CreatePaymentRequest(
        idempotency_key=key or new_id(), ledger_id=ledger.id, amount_minor=amount_minor, currency=currency,
        withdrawal=p.Withdrawal(account_id=account, connector=connector, instrument=instrument), reference=reference)


def internal(ledger, source, destination, amount_minor, key=None, currency="EUR", reference=""):
    return p.CreatePaymentRequest(
        idempotency_key=key or new_id(), ledger_id=ledger.id, amount_minor=amount_minor, currency=currency,
        transfer=p.InternalTransfer(from_account_id=source, to_account_id=destination), reference=reference)


def request(ledger, amount_minor, key=None, currency="EUR", fee=None, **kind):
    """A request of any kind: `kind` is the oneof's field; `fee` is (amount, account)."""
    made = p.CreatePaymentRequest(idempotency_key=key or new_id(), ledger_id=ledger.id, amount_minor=amount_minor,
                                  currency=currency, **kind)
    if fee is not None:
        made.fee.amount_minor, made.fee.account_id = fee
    return made


RESTING = ("SUCCEEDED", "DECLINED", "MANUAL_REVIEW", "CANCELED", "COMPENSATED", "PARTLY_REFUNDED", "REFUNDED")


def state(payment):
    """"SUCCEEDED"."""
    return p.value_name("PAYMENT_STATE_", payment.state)
