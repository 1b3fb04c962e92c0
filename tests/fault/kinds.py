"""What the fault matrix is made of: the kinds of payments, and what a connector may do. A new kind is a row here; which
boundaries its steps have is found out by looking."""

from support import world


class Kind:
    """`make(ledger, wallet, other, amount_minor, instrument)` gives the request; `effect` is what a success adds to the
    wallet, in amounts; `other` is another account of the ledger."""

    def __init__(self, make, effect, connector=True):
        self.make, self.effect, self.connector = make, effect, connector


KINDS = {
    "deposit": Kind(lambda ledger, wallet, other, amount, instrument: world.deposit(
        ledger, wallet, amount, instrument=instrument), 1),
    "withdrawal": Kind(lambda ledger, wallet, other, amount, instrument: world.withdrawal(
        ledger, wallet, amount, instrument=instrument), -1),
    "transfer": Kind(lambda ledger, wallet, other, amount, instrument: world.internal(
        ledger, wallet, other, amount), -1, connector=False),
}

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
NO_CONNECTOR = {"no connector": ("", "SUCCEEDED")}


def pairs():
    """(kind's name, behaviour's name, instrument, expected end) of every combination that there is."""
    for name, kind in KINDS.items():
        for behaviour, (instrument, end) in (BEHAVIOURS if kind.connector else NO_CONNECTOR).items():
            yield name, behaviour, instrument, end
