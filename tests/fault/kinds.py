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
LEDGER_DECLINES = {"the ledger declines": ("sim:ok", "DECLINED")}
# What was charged and our ledger then refuses is given back, by the same connector in the same mood.
GIVES_BACK = {
    "takes and gives back": ("sim:ok", "COMPENSATED"),
    "does both and never answers": ("sim:no-answer", "COMPENSATED"),
}
# Somebody wants it called off before its hold stands; one that comes too late has no effect.
CALLED_OFF = {"is called off while it is held": ("sim:ok", "CANCELED")}
FEE_MINOR = 7
OTHER_LEDGER = {"the other ledger says yes": ("there", "SUCCEEDED"), "the other ledger says no": ("nowhere", "DECLINED")}


class Place:
    """Where the payments happen: a ledger and, for what goes between ledgers, another."""

    def __init__(self):
        self.ledger = Market()
        self.ledgers = [self.ledger]
        self.fees = self.ledger.open("fees")
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
    `before_effect` is what it adds to the wallet, `before_booked` how many operations the connector has for it. `fee`: what
    a success takes besides. `poor`: the wallet has nothing; `full`: it takes no more. `after(test, cell)` looks closer."""

    def __init__(self, make, effect, behaviours=None, before=None, before_effect=0, before_booked=0, fee=0, poor=False,
                 full=False, after=None):
        self.make, self.effect, self.behaviours, self.before = make, effect, behaviours or NO_CONNECTOR, before
        self.before_effect, self.before_booked, self.fee = before_effect, before_booked, fee
        self.poor, self.full, self.after = poor, full, after
        self.connector = self.behaviours not in (NO_CONNECTOR, OTHER_LEDGER)


def _of(name, fee=0, **fields):
    """A request of the kind; what is callable is asked with place and cell."""
    def make(place, cell):
        values = {field: value(place, cell) if callable(value) else value for field, value in fields.items()}
        made = p.CreatePaymentRequest(idempotency_key=new_id(), ledger_id=place.ledger.id, amount_minor=cell.amount,
                                      currency="EUR", **{name: values})
        if fee:
            made.fee.amount_minor, made.fee.account_id = fee, place.fees
        return made
    return make


def _wallet(_, cell):
    return cell.wallet


def _other(_, cell):
    return cell.other


def _instrument(_, cell):
    return cell.instrument


def _rollback(place, cell):
    original = getattr(cell.original, cell.original.WhichOneof("kind"))
    return _of("rollback", account_id=original.account_id, game_account_id=original.game_account_id, round_id=original.round_id,
               original_key=cell.original.idempotency_key)(place, cell)


def _refund(place, cell):
    deposit = place.ledger.payments.call("CreatePayment", cell.original).payment
    return _of("refund", payment_id=deposit.payment_id, instrument=_instrument, fee=FEE_MINOR)(place, cell)


def _comes_too_late(test, cell):
    """What was rolled back before it arrived is refused when it arrives."""
    for request in cell.requests:
        rollback = request.rollback
        late = _of("wager", account_id=rollback.account_id, game_account_id=rollback.game_account_id,
                   round_id=rollback.round_id)(test.place, cell)
        late.idempotency_key = rollback.original_key
        test.assert_rolled_back(late)


_deposit = _of("deposit", account_id=_wallet, connector="simulator", instrument="sim:ok")
_charge = _of("deposit", account_id=_wallet, connector="simulator", instrument=_instrument)
_payout = _of("withdrawal", account_id=_wallet, connector="simulator", instrument=_instrument, fee=FEE_MINOR)
_game = {"account_id": _wallet, "game_account_id": _other, "round_id": lambda *_: new_id()}
_wager, _settlement = _of("wager", fee=FEE_MINOR, **_game), _of("settlement", **_game)
_rows = {
    "deposit": Kind(_charge, 1, CHARGES),
    "withdrawal": Kind(_payout, -1, BEHAVIOURS, fee=FEE_MINOR),
    "transfer": Kind(_of("transfer", from_account_id=_wallet, to_account_id=_other), -1),
    "remote_transfer": Kind(_of(
        "remote_transfer", from_account_id=_wallet, to_ledger_id=lambda place, _: place.there.id, fee=FEE_MINOR,
        to_account_id=lambda place, cell: place.friend if cell.instrument == "there" else new_id()), -1, OTHER_LEDGER,
        fee=FEE_MINOR),
    "refund": Kind(_refund, -1, BEHAVIOURS, before=_deposit, before_effect=1, before_booked=1, fee=FEE_MINOR),
    "wager": Kind(_wager, -1, fee=FEE_MINOR),
    "settlement": Kind(_settlement, 1),
    "rollback": Kind(_rollback, 0, before=_wager),  # with its wager, and the wager's fee
}
FIELDS = [field.name for field in p.CreatePaymentRequest.DESCRIPTOR.oneofs_by_name["kind"].fields]
MISSING = sorted(set(FIELDS) - set(_rows))
# Other ways of these.
KINDS = {name: kind for name, kind in _rows.items() if name in FIELDS} | {
    "deposit that the ledger refuses": Kind(_charge, 0, GIVES_BACK, full=True),
    "withdrawal that is not held": Kind(_payout, -1, LEDGER_DECLINES, poor=True),
    "withdrawal that is called off": Kind(_payout, -1, CALLED_OFF, fee=FEE_MINOR),
    "wager of more than there is": Kind(_wager, -1, {"the ledger declines": ("", "DECLINED")}, poor=True),
    "rollback of a settlement": Kind(_rollback, -1, before=_settlement, before_effect=1),
    "rollback of what never came": Kind(_of("rollback", **_game, original_key=lambda *_: new_id()), 0, after=_comes_too_late),
}


def pairs():
    """(kind's name, behaviour's name, instrument, expected end) of every combination that there is."""
    for name, kind in KINDS.items():
        for behaviour, (instrument, end) in kind.behaviours.items():
            yield name, behaviour, instrument, end
