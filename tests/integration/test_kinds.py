"""Kinds of payments beyond the first three: between ledgers, the seamless wallet of gaming; fees of any kind."""

import concurrent.futures
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.client import Refused
from support.contracts import payments as p
from support.world import Market, deposit, internal, new_id, request, state, withdrawal


class KindCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.payments = self.ledger.payments
        self.wallet = self.ledger.wallet("anna", 1000)
        self.game = self.ledger.open("game")
        self.fees = self.ledger.open("fees")

    def create(self, made, stub=None):
        return (stub or self.payments).call("CreatePayment", made)

    def settled(self, made):
        def done():
            payment = self.create(made).payment
            return payment if state(payment) in world.RESTING else None
        return environment.wait_until(done, 40, "the payment rests")

    def money(self, account_id, ledger=None):
        balances = (ledger or self.ledger).balances(account_id)
        return balances.posted_minor, balances.available_minor

    def read(self, payment):
        return self.payments.GetPayment(payment_id=payment.payment_id).payment

    def timeline(self, payment):
        events = self.payments.GetPayment(payment_id=payment.payment_id).events
        self.assertEqual([event.version for event in events], list(range(1, len(events) + 1)))
        return [p.value_name("PAYMENT_STATE_", event.state) for event in events]

    def assert_whole(self, *ledgers):
        for ledger in ledgers or (self.ledger,):
            balance = ledger.trial_balance()
            self.assertTrue(balance.balanced)
            for line in balance.lines:
                self.assertEqual((line.debits_pending_minor, line.credits_pending_minor), (0, 0))


class Gaming(KindCase):
    def wager(self, amount=100, key=None, game_round="r1", **more):
        return request(self.ledger, amount, key, wager=p.Wager(
            account_id=self.wallet, game_account_id=self.game, round_id=game_round), **more)

    def settlement(self, amount=250, key=None, game_round="r1", **more):
        return request(self.ledger, amount, key, settlement=p.Settlement(
            account_id=self.wallet, game_account_id=self.game, round_id=game_round), **more)

    def rollback(self, original, key=None, **changes):
        kind = getattr(original, original.WhichOneof("kind"))
        made = request(self.ledger, original.amount_minor, key, rollback=p.Rollback(
            account_id=kind.account_id, game_account_id=kind.game_account_id, round_id=kind.round_id,
            original_key=original.idempotency_key))
        having(**changes)(made)
        return made

    def test_wager_and_settlement(self):
        wager = self.create(self.wager()).payment
        self.assertEqual((state(wager), wager.wager.round_id), ("SUCCEEDED", "r1"))
        self.assertEqual(self.timeline(wager), ["CREATED", "SUCCEEDED"])
        self.assertEqual(self.money(self.wallet), (900, 900))
        self.ledger.post(self.ledger.clearing["EUR"], self.game, 1000)
        settled = self.create(self.settlement()).payment
        self.assertEqual(state(settled), "SUCCEEDED")
        self.assertEqual((self.money(self.wallet)[0], self.money(self.game)[0]), (1150, 850))
        self.assertEqual(self.read(settled), settled)

    def test_wager_of_more_than_there_is(self):
        payment = self.create(self.wager(1001)).payment
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))

    def test_rollback_of_a_wager(self):
        made = self.wager(fee=(10, self.fees))
        wager = self.create(made).payment
        self.assertEqual(self.money(self.wallet)[0], 890)
        back = self.rollback(made)
        first = self.create(back).payment
        self.assertEqual((state(first), first.original_payment_id), ("SUCCEEDED", wager.payment_id))
        self.assertEqual((first.fee.amount_minor, self.money(self.wallet)[0]), (10, 1000))
        again = self.create(back)
        self.assertEqual((again.replayed, again.payment), (True, first))
        # With another key: nothing is left to roll back.
        other = self.create(self.rollback(made)).payment
        self.assertEqual((state(other), other.reason), ("SUCCEEDED", "NOTHING_TO_ROLL_BACK"))
        self.assertEqual(self.money(self.wallet), (1000, 1000))
        wager = self.read(wager)
        self.assertEqual((state(wager), wager.refunded_minor), ("REFUNDED", 100))
        self.assertEqual(self.timeline(wager), ["CREATED", "SUCCEEDED", "REFUNDED"])
        self.assertEqual(self.create(made).payment, wager)
        self.assert_whole()

    def test_rollbacks_at_once_give_back_once(self):
        made = self.wager()
        self.create(made)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            ends = list(pool.map(lambda _: self.settled(self.rollback(made)), range(16)))
        self.assertEqual({state(end) for end in ends}, {"SUCCEEDED"})
        self.assertEqual([end.reason for end in ends].count(""), 1)
        self.assertEqual(self.money(self.wallet), (1000, 1000))

    def test_rollback_of_what_never_arrived(self):
        made = self.wager()
        back = self.rollback(made)
        first = self.create(back).payment
        self.assertEqual((state(first), first.reason), ("SUCCEEDED", "NOTHING_TO_ROLL_BACK"))
        for _ in range(2):
            with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "ROLLED_BACK"):
                self.create(made)
        again = self.create(back)
        self.assertEqual((again.replayed, again.payment), (True, first))
        other = self.create(self.rollback(made)).payment
        self.assertEqual((state(other), other.original_payment_id), ("SUCCEEDED", first.original_payment_id))
        self.assertEqual(self.money(self.wallet), (1000, 1000))
        late = self.payments.GetPayment(payment_id=first.original_payment_id).payment
        self.assertEqual((state(late), late.reason), ("CANCELED", "ROLLED_BACK"))

    def test_rollback_and_its_wager_at_once(self):
        """Whichever comes first: the stake is where it was."""
        def play(number):
            made = self.wager(1, game_round=f"race-{number}")
            first, second = (made, self.rollback(made))[::1 if number % 2 else -1]
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for end in [pool.submit(self.settled, one) for one in (first, second)]:
                    try:
                        self.assertIn(state(end.result()), ("SUCCEEDED", "REFUNDED"), end.result())
                    except Refused as refused:
                        self.assertEqual(refused.reason, "ROLLED_BACK")
            self.settled(self.rollback(made))

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(play, range(40)))
        self.assertEqual(self.money(self.wallet), (1000, 1000))
        self.assert_whole()

    def test_rollback_of_a_declined_wager(self):
        made = self.wager(1001)
        self.create(made)
        payment = self.create(self.rollback(made)).payment
        self.assertEqual((state(payment), payment.reason), ("SUCCEEDED", "NOTHING_TO_ROLL_BACK"))
        self.assertEqual(state(self.create(made).payment), "DECLINED")

    def test_rollback_after_the_settlement(self):
        made, paid = self.wager(), self.settlement(80)
        self.create(made)
        self.create(paid)
        payment = self.create(self.rollback(made)).payment
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "ROUND_SETTLED"))
        self.assertEqual(state(self.create(self.rollback(paid)).payment), "SUCCEEDED")
        self.assertEqual(self.money(self.wallet)[0], 900)
        self.assertEqual(state(self.create(self.rollback(made)).payment), "SUCCEEDED")
        self.assertEqual((self.money(self.wallet)[0], self.money(self.game)[0]), (1000, 0))

    def test_settlement_of_another_player_of_the_round(self):
        made, other, paid = self.wager(), self.wager(), self.settlement(80)
        other.wager.account_id = paid.settlement.account_id = self.ledger.wallet("bert", 100)
        for each in (made, other, paid):
            self.assertEqual(state(self.create(each).payment), "SUCCEEDED")
        self.assertEqual(self.create(self.rollback(other)).payment.reason, "ROUND_SETTLED")
        self.assertEqual(state(self.create(self.rollback(made)).payment), "SUCCEEDED")
        self.assertEqual(self.money(self.wallet)[0], 1000)

    def test_rollback_that_the_ledger_declines_can_be_tried_again(self):
        made, paid = self.wager(), self.settlement(80)
        self.create(made)
        self.create(paid)
        self.create(internal(self.ledger, self.wallet, self.fees, 950))
        payment = self.create(self.rollback(paid)).payment
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        self.ledger.post(self.ledger.clearing["EUR"], self.wallet, 1000)
        self.assertEqual(state(self.create(self.rollback(paid)).payment), "SUCCEEDED")
        self.assertEqual(self.money(self.wallet)[0], 950)

    def test_rollback_with_another_content(self):
        made = self.wager()
        self.create(made)
        for change in ({"amount_minor": 99}, {"rollback__round_id": "r2"}, {"rollback__account_id": self.fees}):
            with self.subTest(change=change):
                payment = self.create(self.rollback(made, **change)).payment
                self.assertEqual((state(payment), payment.reason), ("DECLINED", "ROLLBACK_MISMATCH"))
        self.assertEqual(self.money(self.wallet)[0], 900)

    def test_rollback_of_a_rollback(self):
        """Neither one that moved money nor one that only buried its original gives anything."""
        made, never = self.wager(), self.wager()
        self.create(made)
        for original in (made, never):
            back = self.rollback(original)
            self.assertEqual(state(self.create(back).payment), "SUCCEEDED")
            again = self.rollback(original, rollback__original_key=back.idempotency_key)
            payment = self.create(again).payment
            self.assertEqual((state(payment), payment.reason), ("DECLINED", "ROLLBACK_MISMATCH"))
        self.assertEqual((self.money(self.wallet), self.money(self.game)), ((1000, 1000), (0, 0)))

    def test_players(self):
        anna = world.person()
        mine = self.ledger.wallet(anna.user_id, 100)
        made = self.wager(40)
        made.wager.account_id = mine
        self.assertEqual(state(self.create(made, anna.at("payments")).payment), "SUCCEEDED")
        with self.not_found("ACCOUNT_NOT_FOUND"):
            self.create(self.wager(), anna.at("payments"))
        for other in (self.settlement(), self.rollback(made)):
            with self.nothing_written("payments"), \
                    self.refused(grpc.StatusCode.PERMISSION_DENIED, "KIND_DENIED"):
                self.create(other, anna.at("payments"))
        # The operator's rollback of the player's own wager names whose key it is.
        payment = self.create(self.rollback(made, rollback__original_caller=anna.user_id)).payment
        self.assertEqual((state(payment), payment.reason), ("SUCCEEDED", ""))
        self.assertEqual(self.money(mine)[0], 100)

    def test_bad_input(self):
        key = new_id()
        with self.nothing_written("payments"):
            for kind, good in (("wager", self.wager()), ("settlement", self.settlement()),
                               ("rollback", self.rollback(self.wager(), key=key))):
                self.check_bad_input(self.payments, "CreatePayment", good, [
                    (having(**{f"{kind}__account_id": "x"}), "INVALID_UUID", f"{kind}.account_id"),
                    (having(**{f"{kind}__game_account_id": ""}), "INVALID_UUID", f"{kind}.game_account_id"),
                    (having(**{f"{kind}__game_account_id": self.wallet}), "INVALID_FIELD", f"{kind}.game_account_id"),
                    (having(**{f"{kind}__round_id": ""}), "INVALID_LENGTH", f"{kind}.round_id"),
                    (having(**{f"{kind}__round_id": "r" * 65}), "INVALID_LENGTH", f"{kind}.round_id"),
                    (having(**{f"{kind}__round_id": "a b"}), "INVALID_TEXT", f"{kind}.round_id"),
                ])
            self.check_bad_input(self.payments, "CreatePayment", self.rollback(self.wager(), key=key), [
                (having(rollback__original_key=""), "INVALID_LENGTH", "rollback.original_key"),
                (having(rollback__original_key=key), "INVALID_FIELD", "rollback.original_key"),
                (having(rollback__original_caller="c" * 65), "INVALID_LENGTH", "rollback.original_caller"),
                (having(rollback__original_caller=new_id().upper()), "INVALID_UUID", "rollback.original_caller"),
                (having(fee__amount_minor=1), "INVALID_FIELD", "fee"),
            ])


class BetweenLedgers(KindCase):
    def setUp(self):
        super().setUp()
        self.there = Market()
        self.friend = self.there.wallet("bert")
        self.transit = {}
        for ledger in (self.ledger, self.there):
            self.transit[ledger.id] = ledger.open("transit")
            self.payments.RegisterTransitAccount(ledger_id=ledger.id, currency="EUR",
                                                 account_id=self.transit[ledger.id])

    def remote(self, amount=300, account=None, **more):
        return request(self.ledger, amount, remote_transfer=p.RemoteTransfer(
            from_account_id=self.wallet, to_ledger_id=self.there.id, to_account_id=account or self.friend), **more)

    def test_it_moves(self):
        made = self.remote(fee=(5, self.fees))
        payment = self.create(made).payment
        self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual(self.timeline(payment), ["CREATED", "HELD", "SUBMITTED", "SETTLING", "SUCCEEDED"])
        self.assertEqual((self.money(self.wallet), self.money(self.fees)), ((695, 695), (5, 5)))
        self.assertEqual(self.money(self.friend, self.there), (300, 300))
        self.assertEqual(self.money(self.transit[self.ledger.id])[0], 300)
        self.assertEqual(self.money(self.transit[self.there.id], self.there)[0], -300)
        self.assertEqual(self.read(payment), payment)
        self.assertEqual(self.create(made).payment, payment)
        self.assert_whole(self.ledger, self.there)

    def test_the_destination_declines(self):
        for account, reason in ((new_id(), "ACCOUNT_NOT_FOUND"), (self.there.open("bert", "USD"), "CURRENCY_MISMATCH")):
            payment = self.create(self.remote(account=account, fee=(5, self.fees))).payment
            self.assertEqual((state(payment), payment.reason), ("DECLINED", reason))
            self.assertEqual(self.timeline(payment), ["CREATED", "HELD", "SUBMITTED", "COMPENSATING", "DECLINED"])
        self.assertEqual(self.money(self.wallet), (1000, 1000))
        self.assert_whole(self.ledger, self.there)

    def test_the_source_declines(self):
        payment = self.create(self.remote(1001)).payment
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        payment = self.create(self.remote(1000, fee=(1, self.fees))).payment
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        self.assertEqual(self.money(self.friend, self.there), (0, 0))
        self.assert_whole(self.ledger, self.there)

    def test_without_a_transit_account(self):
        bare = Market()
        made = self.remote()
        made.remote_transfer.to_ledger_id = bare.id
        with self.nothing_written("payments"), \
                self.refused(grpc.StatusCode.FAILED_PRECONDITION, "TRANSIT_NOT_REGISTERED"):
            self.create(made)

    def test_bad_input(self):
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "CreatePayment", self.remote(), [
                (having(remote_transfer__from_account_id="x"), "INVALID_UUID", "remote_transfer.from_account_id"),
                (having(remote_transfer__to_ledger_id=""), "INVALID_UUID", "remote_transfer.to_ledger_id"),
                (having(remote_transfer__to_ledger_id=self.ledger.id), "INVALID_FIELD", "remote_transfer.to_ledger_id"),
                (having(remote_transfer__to_account_id=""), "INVALID_UUID", "remote_transfer.to_account_id"),
                (having(remote_transfer__to_account_id=self.transit[self.there.id]), "INVALID_FIELD",
                 "remote_transfer.to_account_id"),
                (having(remote_transfer__from_account_id=self.transit[self.ledger.id]), "INVALID_FIELD",
                 "remote_transfer.from_account_id"),
            ])

    def test_registering(self):
        good = p.RegisterTransitAccountRequest(ledger_id=self.ledger.id, currency="EUR",
                                               account_id=self.transit[self.ledger.id])
        self.payments.call("RegisterTransitAccount", good)
        with self.nothing_written("payments"):
            with self.refused(grpc.StatusCode.ALREADY_EXISTS, "TRANSIT_ACCOUNT_EXISTS"):
                self.payments.RegisterTransitAccount(ledger_id=self.ledger.id, currency="EUR", account_id=self.fees)
            with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "CURRENCY_MISMATCH"):
                self.payments.RegisterTransitAccount(ledger_id=self.ledger.id, currency="USD", account_id=self.fees)
            self.check_bad_input(self.payments, "RegisterTransitAccount", good, [
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (having(account_id=""), "INVALID_UUID", "account_id"),
                (having(currency="EURO"), "INVALID_CURRENCY", "currency"),
            ])


class Fees(KindCase):
    def test_it_is_taken_with_the_payment(self):
        clearing = self.ledger.clearing["EUR"]
        for made, wallet in ((deposit(self.ledger, self.wallet, 100), 1093), (withdrawal(self.ledger, self.wallet, 100), 986),
                             (internal(self.ledger, self.wallet, self.game, 100), 879)):
            with self.subTest(kind=made.WhichOneof("kind")):
                made.fee.amount_minor, made.fee.account_id = 7, self.fees
                payment = self.settled(made)
                self.assertEqual((state(payment), payment.fee), ("SUCCEEDED", made.fee))
                self.assertEqual(self.money(self.wallet), (wallet, wallet))
                self.assertEqual(self.read(payment), payment)
        self.assertEqual((self.money(self.fees)[0], self.money(clearing)[0]), (21, 1000))
        self.assert_whole()

    def test_both_or_neither(self):
        for make in (withdrawal, lambda ledger, wallet, amount: internal(ledger, wallet, self.game, amount)):
            made = make(self.ledger, self.wallet, 1000)
            made.fee.amount_minor, made.fee.account_id = 1, self.fees
            payment = self.settled(made)
            self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        made = withdrawal(self.ledger, self.wallet, 500, instrument="sim:decline")
        made.fee.amount_minor, made.fee.account_id = 1, self.fees
        self.assertEqual(state(self.settled(made)), "DECLINED")
        self.assertEqual((self.money(self.wallet), self.money(self.fees)), ((1000, 1000), (0, 0)))
        self.assert_whole()

    def test_a_deposit_whose_fee_has_nowhere_to_go_is_not_charged(self):
        """Neither what a player nor what an operator asks for."""
        player = world.person()
        own = self.ledger.wallet(player.user_id)
        dollars = self.ledger.open("fees", "USD")
        for stub, wallet in ((self.payments, self.wallet), (player.at("payments"), own)):
            for account, reason in ((dollars, "CURRENCY_MISMATCH"), (new_id(), "ACCOUNT_NOT_FOUND")):
                for again in range(2):  # by then the account is remembered
                    made = deposit(self.ledger, wallet, 100)
                    made.fee.amount_minor, made.fee.account_id = 1, account
                    payment = self.create(made, stub).payment
                    self.assertEqual((state(payment), payment.reason), ("DECLINED", reason))
                    self.assertEqual(self.timeline(payment), ["CREATED", "DECLINED"])
                    self.assertEqual(self.create(made, stub).payment, payment)
            made.idempotency_key, made.fee.account_id = new_id(), self.fees
            self.assertEqual(state(self.create(made, stub).payment), "SUCCEEDED")

    def test_another_fee_is_another_body(self):
        made = internal(self.ledger, self.wallet, self.game, 100)
        self.create(made)
        made.fee.amount_minor, made.fee.account_id = 1, self.fees
        with self.mismatch():
            self.create(made)

    def test_bad_input(self):
        good = internal(self.ledger, self.wallet, self.game, 100)
        good.fee.amount_minor, good.fee.account_id = 1, self.fees
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "CreatePayment", good, [
                (having(fee__amount_minor=0), "INVALID_AMOUNT", "fee.amount_minor"),
                (having(fee__amount_minor=-1), "INVALID_AMOUNT", "fee.amount_minor"),
                (having(fee__account_id="x"), "INVALID_UUID", "fee.account_id"),
                (having(fee__account_id=self.wallet), "INVALID_FIELD", "fee.account_id"),
            ])


if __name__ == "__main__":
    unittest.main()
