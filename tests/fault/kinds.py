"""What the fault matrix is made of: the kinds of payments, and what a connector may do. A new kind is a row here, and the
matrix fails while the row is missing; which boundaries its steps have is found out by looking."""

from support.contracts import payments as p
from support.world import Market, new_id

# name: (instrument, how a payment ends that has it)
BEHAVIOURS = {
    "yes": ("sim:ok", "SUCCEEDED"),
    "no": ("sim:decline", "DECLINED"),
    "refuses": ("sim:nonsense", "DECLINED"),
    "times out before doing it": ("sim:lost", "SUCCEEDED"),
    "does it and never answers": ("sim:no-answer", "SUCCEEDED"),
    "declines and never answers": ("sim:no-answer,decline", "DECLINED"),
    "answers after the deadline": ("sim:late", "SUCCEEDED"),
    "notifies twice": ("sim:pending=100,notify-twice", "SUCCEEDED"),
    "notifies early": ("sim:notify-early", "SUCCEEDED"),
    "late": ("sim:pending=900", "SUCCEEDED"),
    "late, then no": ("sim:pending=300,decline", "DECLINED"),
    "notifies out of order": ("sim:pending=100,notify-out-of-order", "SUCCEEDED"),
    "unavailable for a while": ("sim:fail-before=3", "SUCCEEDED"),
}
# What a charge in two steps, or with a person, may come to besides. The caller of one that ends CANCELED calls it off.
CHARGES = BEHAVIOURS | {
    "authorizes, then captures": ("sim:authorize-only", "SUCCEEDED"),
    "authorizes late, then captures": ("sim:authorize-only,pending=200", "SUCCEEDED"),
    "authorizes and never answers": ("sim:authorize-only,no-answer=1", "SUCCEEDED"),
    "declines the capture": ("sim:authorize-only,capture-decline", "DECLINED"),
    "the person acts": ("sim:action=2000", "SUCCEEDED"),  # after another process has taken the payment over
    "the person acts, then a capture": ("sim:authorize-only,action=200", "SUCCEEDED"),
    "the person says no": ("sim:action=200,decline", "DECLINED"),
    "is called off": ("sim:action=86400000", "CANCELED"),
}
NO_CONNECTOR = {"no connector": ("", "SUCCEEDED")}
OTHER_LEDGER = {"the other ledger says yes": ("there", "SUCCEEDED"), "the other ledger says no": ("nowhere", "DECLINED")}


class Place:
    """Where the payments happen: a ledger and, for what goes between ledgers, another."""

    def __init__(self):
        self.ledger = Market()
        self.ledgers = [self.ledger]
        self.there = self.friend = None
        if "remote_transfer" in KINDS:
            self.there = Market()
            self.ledgers.append(self.there)
            self.friend = self.there.open("friend")
            for ledger in self.ledgers:
                ledger.payments.RegisterTransitAccount(ledger_id=ledger.id, currency="EUR", account_id=ledger.open("transit"))


class Kind:
    """`make(place, cell)` gives a request; `effect` is what a success adds to the cell's wallet, in amounts. With `before`,
    which gives a request too, that payment is made first, and its request is the second argument's `original`;
    `before_effect` is what it adds to the wallet, `before_booked` how many operations the connector has for it."""

    def __init__(self, make, effect, behaviours=None, before=None, before_effect=0, before_booked=0):
        self.make, self.effect, self.behaviours, self.before = make, effect, behaviours or NO_CONNECTOR, before
        self.before_effect, self.before_booked = before_effect, before_booked
        self.connector = behaviours in (BEHAVIOURS, CHARGES)


def _of(name, **fields):
    """A request of the kind; what is callable is asked with place and cell."""
    def make(place, cell):
        values = {field: value(place, cell) if callable(value) else value for field, value in fields.items()}
        return p.CreatePaymentRequest(idempotency_key=new_id(), ledger_id=place.ledger.id, amount_minor=cell.amount,
                                      currency="EUR", **{name: values})
    return make


def _wallet(_, cell):
    return cell.wallet


def _other(_, cell):
    return cell.other


def _instrument(_, cell):
    return cell.instrument


def _rollback(place, cell):
    wager = cell.original.wager
    return _of("rollback", account_id=wager.account_id, game_account_id=wager.game_account_id, round_id=wager.round_id,
               original_key=cell.original.idempotency_key)(place, cell)


def _refund(place, cell):
    deposit = place.ledger.payments.call("CreatePayment", cell.original).payment
    return _of("refund", payment_id=deposit.payment_id, instrument=_instrument)(place, cell)


_deposit = _of("deposit", account_id=_wallet, connector="simulator", instrument="sim:ok")
_wager = _of("wager", account_id=_wallet, game_account_id=_other, round_id=lambda *_: new_id())
_rows = {
    "deposit": Kind(_of("deposit", account_id=_wallet, connector="simulator", instrument=_instrument), 1, CHARGES),
    "withdrawal": Kind(_of("withdrawal", account_id=_wallet, connector="simulator", instrument=_instrument), -1, BEHAVIOURS),
    "transfer": Kind(_of("transfer", from_account_id=_wallet, to_account_id=_other), -1),
    "remote_transfer": Kind(_of(
        "remote_transfer", from_account_id=_wallet, to_ledger_id=lambda place, _: place.there.id,
        to_account_id=lambda place, cell: place.friend if cell.instrument == "there" else new_id()), -1, OTHER_LEDGER),
    "refund": Kind(_refund, -1, BEHAVIOURS, before=_deposit, before_effect=1, before_booked=1),
    "wager": Kind(_wager, -1),
    "settlement": Kind(_of("settlement", account_id=_wallet, game_account_id=_other, round_id=lambda *_: new_id()), 1),
    "rollback": Kind(_rollback, 0, before=_wager),  # with its wager
}
FIELDS = [field.name for field in p.CreatePaymentRequest.DESCRIPTOR.oneofs_by_name["kind"].fields]
KINDS = {name: kind for name, kind in _rows.items() if name in FIELDS}
MISSING = sorted(set(FIELDS) - set(_rows))


def pairs():
    """(kind's name, behaviour's name, instrument, expected end) of every combination that there is."""
    for name, kind in KINDS.items():
        for behaviour, (instrument, end) in kind.behaviours.items():
            yield name, behaviour, instrument, end
