"""Limits, self-exclusion and time-out of a person, through the wire and against two processes of payments."""

import concurrent.futures
import datetime
import time
import unittest

import grpc

from support import environment, world
from support.cases import Case, having
from support.contracts import payments as p
from support.moment import DatabaseClock
from support.replicas import Replica
from support.world import Market, deposit, internal, new_id, request, state, withdrawal

DAY_S = 86400
PERIODS = {"day": p.LIMIT_PERIOD_DAY, "week": p.LIMIT_PERIOD_WEEK, "month": p.LIMIT_PERIOD_MONTH}


def moment(seconds_from_now):
    stamp = p.TimeOutRequest().until
    stamp.FromNanoseconds(int((time.time() + seconds_from_now) * 1e6) * 1000)
    return stamp


class LimitCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.person = world.person()
        self.wallet = self.ledger.wallet(self.person.user_id)
        self.payments = self.ledger.payments
        self.player = self.person.at("payments")
        self.set_market()

    def set_market(self, cooling_off_s=DAY_S, time_zone="Europe/Berlin", week_start=1):
        self.payments.SetMarket(reason="test", market=p.Market(
            ledger_id=self.ledger.id, time_zone=time_zone, week_start=week_start, cooling_off_s=cooling_off_s))

    def key(self):
        return {"ledger_id": self.ledger.id, "person_id": self.person.user_id}

    def limit_request(self, amount_minor, period="day", measure=p.LIMIT_MEASURE_DEPOSITS, currency="EUR", **more):
        request = p.SetLimitRequest(currency=currency, measure=measure, period=PERIODS[period], **{**self.key(), **more})
        if amount_minor is not None:
            request.limit.amount_minor = amount_minor
        return request

    def set_limit(self, amount_minor, period="day", **more):
        return self.player.call("SetLimit", self.limit_request(amount_minor, period, **more)).limit

    def limits(self):
        return {one.period: one for one in self.player.ListLimits(**self.key()).limits}

    def deposit(self, amount_minor, stub=None, **more):
        return (stub or self.player).call("CreatePayment", deposit(self.ledger, self.wallet, amount_minor, **more)).payment

    def rested(self, stub, request):
        """The payment, when it is final."""
        return environment.wait_until(
            lambda: (lambda one: one if state(one) in world.RESTING else None)(stub.call("CreatePayment", request).payment),
            30, "the payment rests")

    def assert_refused(self, payment, period, limit_minor, left_minor):
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "LIMIT_EXCEEDED"))
        refusal = payment.limit_refusal
        self.assertEqual((refusal.measure, refusal.period, refusal.limit_minor, refusal.left_minor),
                         (p.LIMIT_MEASURE_DEPOSITS, PERIODS[period], limit_minor, left_minor))
        self.assertGreater(refusal.until.seconds, time.time())

    def balance(self):
        return self.ledger.balances(self.wallet).posted_minor


class Deposits(LimitCase):
    def test_what_is_left_and_which_limit(self):
        self.set_limit(100)
        self.set_limit(150, "week")
        self.assertEqual(state(self.deposit(60)), "SUCCEEDED")
        self.assert_refused(self.deposit(41), "day", 100, 40)
        self.assertEqual(state(self.deposit(40)), "SUCCEEDED")
        self.assert_refused(self.deposit(1), "day", 100, 0)
        self.assert_refused(self.deposit(51), "day", 100, 0)
        self.assertEqual(self.balance(), 100)
        day, week = (self.limits()[PERIODS[name]] for name in ("day", "week"))
        self.assertEqual((day.used_minor, day.left_minor, week.used_minor, week.left_minor), (100, 0, 100, 50))
        self.assertEqual((day.limit.amount_minor, week.limit.amount_minor), (100, 150))

    def test_of_two_passed_the_one_that_leaves_least_is_named(self):
        self.set_limit(100)
        self.set_limit(80, "month")
        self.assert_refused(self.deposit(101), "month", 80, 80)
        self.set_limit(80)
        self.assert_refused(self.deposit(101), "month", 80, 80)

    def test_a_refusal_is_an_outcome_for_ever(self):
        self.set_market(cooling_off_s=0)
        self.set_limit(10)
        request = deposit(self.ledger, self.wallet, 11)
        first = self.player.call("CreatePayment", request)
        self.assert_refused(first.payment, "day", 10, 10)
        self.set_limit(None)
        again = self.player.call("CreatePayment", request)
        self.assertEqual((again.payment, again.replayed), (first.payment, True))
        got = self.player.GetPayment(payment_id=first.payment.payment_id)
        self.assertEqual(got.payment, first.payment)
        self.assertEqual([p.value_name("PAYMENT_STATE_", event.state) for event in got.events], ["CREATED", "DECLINED"])
        listed = self.player.ListPayments(ledger_id=self.ledger.id).payments
        self.assertEqual(list(listed), [first.payment])
        self.assertEqual(state(self.deposit(11)), "SUCCEEDED")

    def test_whoever_asks_it_counts_for_the_owner(self):
        self.set_limit(100)
        self.assertEqual(state(self.deposit(70, self.payments)), "SUCCEEDED")
        self.assert_refused(self.deposit(31, self.payments), "day", 100, 30)
        self.assert_refused(self.deposit(31), "day", 100, 30)

    def test_however_the_owner_was_written(self):
        self.set_limit(100)
        self.wallet = self.ledger.wallet(self.person.user_id.upper())
        for stub in (self.payments, self.player):
            self.assertEqual(state(self.deposit(50, stub)), "SUCCEEDED")
        for stub in (self.payments, self.player):
            self.assert_refused(self.deposit(1, stub), "day", 100, 0)

    def test_decline_gives_back(self):
        self.set_limit(100)
        self.assertEqual(state(self.deposit(100, instrument="sim:decline")), "DECLINED")
        self.assertEqual(self.limits()[p.LIMIT_PERIOD_DAY].used_minor, 0)
        self.assertEqual(state(self.deposit(100)), "SUCCEEDED")
        self.assert_refused(self.deposit(1), "day", 100, 0)

    def test_unknown_keeps_what_it_took(self):
        self.set_limit(100)
        slow = deposit(self.ledger, self.wallet, 60, instrument="sim:decline=CARD_EXPIRED,pending=1500")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.rested, self.player, slow)
            environment.wait_until(lambda: self.limits()[p.LIMIT_PERIOD_DAY].used_minor == 60, 10, "it is counted")
            self.assert_refused(self.deposit(41), "day", 100, 40)
            self.assertEqual(state(answer.result()), "DECLINED")
        self.assertEqual(state(self.deposit(100)), "SUCCEEDED")

    def test_other_currency_person_and_ledger_do_not_count(self):
        self.set_limit(10)
        other = world.person()
        wallet = self.ledger.wallet(other.user_id)
        self.assertEqual(state(other.at("payments").call("CreatePayment", deposit(self.ledger, wallet, 50)).payment),
                         "SUCCEEDED")
        elsewhere = Market(("EUR", "USD"))
        for currency in ("EUR", "USD"):
            account = elsewhere.wallet(self.person.user_id, currency=currency)
            payment = self.player.call("CreatePayment", deposit(elsewhere, account, 50, currency=currency)).payment
            self.assertEqual(state(payment), "SUCCEEDED")
        self.assertEqual(self.limits()[p.LIMIT_PERIOD_DAY].used_minor, 0)

    def test_withdrawals_and_transfers_do_not_count(self):
        self.set_limit(100)
        self.assertEqual(state(self.deposit(100)), "SUCCEEDED")
        other = self.ledger.wallet("bert")
        for request in (withdrawal(self.ledger, self.wallet, 50), internal(self.ledger, self.wallet, other, 50)):
            self.assertEqual(state(self.player.call("CreatePayment", request).payment), "SUCCEEDED")

    def test_counted_from_the_first_limit_on_in_all_periods(self):
        self.assertEqual(state(self.deposit(70)), "SUCCEEDED")
        self.assertEqual(self.set_limit(100).used_minor, 0)
        self.assertEqual(state(self.deposit(30)), "SUCCEEDED")
        self.assertEqual(self.set_limit(50, "month").used_minor, 30)
        self.assert_refused(self.deposit(21), "month", 50, 20)


class Losses(LimitCase):
    def setUp(self):
        super().setUp()
        self.game = self.ledger.open("game")
        self.assertEqual(state(self.deposit(10000)), "SUCCEEDED")

    def set_losses(self, amount_minor, period="day"):
        return self.set_limit(amount_minor, period, measure=p.LIMIT_MEASURE_LOSSES)

    def gaming(self, amount_minor, kind, stub=None, key=None, **fields):
        fields = {"account_id": self.wallet, "game_account_id": self.game, "round_id": "r1", **fields}
        message = {"wager": p.Wager, "settlement": p.Settlement, "rollback": p.Rollback}[kind](**fields)
        made = request(self.ledger, amount_minor, key, **{kind: message})
        return self.rested(stub or self.payments, made)

    def assert_lost(self, used_minor, left_minor):
        day = next(one for one in self.player.ListLimits(**self.key()).limits if one.measure == p.LIMIT_MEASURE_LOSSES)
        self.assertEqual((day.used_minor, day.left_minor), (used_minor, left_minor))

    def assert_too_much(self, payment, left_minor):
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "LIMIT_EXCEEDED"))
        self.assertEqual((payment.limit_refusal.measure, payment.limit_refusal.left_minor),
                         (p.LIMIT_MEASURE_LOSSES, left_minor))

    def test_wagers_less_settlements(self):
        self.set_losses(100)
        for stub in (self.player, self.payments):
            self.assertEqual(state(self.gaming(40, "wager", stub)), "SUCCEEDED")
        for stub in (self.player, self.payments):
            self.assert_too_much(self.gaming(21, "wager", stub), 20)
        self.assertEqual(state(self.gaming(30, "settlement")), "SUCCEEDED")
        self.assert_lost(50, 50)
        self.assertEqual(state(self.gaming(50, "wager")), "SUCCEEDED")
        self.assert_too_much(self.gaming(1, "wager"), 0)

    def test_more_than_can_be_summed_up(self):
        """What has happened is counted as far as numbers go; no payment is kept from ending by it."""
        self.set_losses(100)
        most = 2 ** 63 - 1
        wallets = [self.ledger.wallet(self.person.user_id) for _ in range(2)]
        games = [self.ledger.open("game") for _ in range(2)]
        for amount_minor, kind in ((most, "settlement"), (most, "rollback")):
            for n in range(2):
                fields = {"original_key": f"settlement-{n}-{self.ledger.id}"} if kind == "rollback" else {}
                payment = self.gaming(amount_minor, kind, key=f"{kind}-{n}-{self.ledger.id}", account_id=wallets[n],
                                      game_account_id=games[n], **fields)
                self.assertEqual(state(payment), "SUCCEEDED")
                used = -most if kind == "settlement" else (0, most)[n]
                self.assert_lost(used, most if used < 0 else max(0, 100 - used))
        self.assert_too_much(self.gaming(1, "wager"), 0)

    def test_who_has_won_may_lose_it(self):
        self.set_losses(100)
        self.assertEqual(state(self.gaming(250, "settlement")), "SUCCEEDED")
        self.assert_lost(-250, 350)
        self.assert_too_much(self.gaming(351, "wager"), 350)
        self.assertEqual(state(self.gaming(350, "wager")), "SUCCEEDED")
        self.assert_lost(100, 0)

    def test_declined_wagers_give_back(self):
        self.set_losses(100000)
        payment = self.gaming(99999, "wager")
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "INSUFFICIENT_FUNDS"))
        self.assert_lost(0, 100000)

    def test_rollbacks(self):
        self.set_losses(100)
        wager, settlement = new_id(), new_id()
        self.assertEqual(state(self.gaming(100, "wager", key=wager)), "SUCCEEDED")
        self.assertEqual(state(self.gaming(100, "rollback", original_key=wager)), "SUCCEEDED")
        self.assert_lost(0, 100)
        self.assertEqual(state(self.gaming(60, "settlement", key=settlement, round_id="r2")), "SUCCEEDED")
        self.assert_lost(-60, 160)
        self.assertEqual(state(self.gaming(160, "wager", round_id="r3")), "SUCCEEDED")
        # What was won is taken back: no limit undoes that.
        self.assertEqual(state(self.gaming(60, "rollback", original_key=settlement, round_id="r2")), "SUCCEEDED")
        self.assert_lost(160, 0)
        self.assert_too_much(self.gaming(1, "wager", round_id="r3"), 0)

    def yesterday(self):
        """What was counted today was counted yesterday."""
        where = f"ledger_id = '{self.ledger.id}' AND measure = 2"
        environment.sql("payments", f"UPDATE limit_usage SET period_start = period_start - 1 WHERE period = 1 AND {where}; "
                                    f"UPDATE limit_claims SET day_start = day_start - 1 WHERE {where}")

    def assert_lost_yesterday(self, used_minor):
        self.assertEqual(environment.sql_value(
            "payments", f"SELECT used_minor FROM limit_usage WHERE ledger_id = '{self.ledger.id}' AND measure = 2 "
            "AND period = 1 ORDER BY period_start LIMIT 1"), str(used_minor))

    def test_a_rollback_counts_in_the_periods_of_what_it_rolls_back(self):
        """A stake of yesterday that comes back is no room for more losses today, and a win that is taken back is no loss."""
        self.set_losses(100)
        wager, settlement = new_id(), new_id()
        self.assertEqual(state(self.gaming(80, "wager", key=wager)), "SUCCEEDED")
        self.assertEqual(state(self.gaming(60, "settlement", key=settlement, round_id="r2")), "SUCCEEDED")
        self.yesterday()
        self.assert_lost(0, 100)
        self.assertEqual(state(self.gaming(80, "rollback", original_key=wager)), "SUCCEEDED")
        self.assert_lost(0, 100)
        self.assert_lost_yesterday(-60)
        self.assertEqual(state(self.gaming(60, "rollback", original_key=settlement, round_id="r2")), "SUCCEEDED")
        self.assert_lost(0, 100)
        self.assert_lost_yesterday(0)
        self.assertEqual(state(self.gaming(100, "wager", round_id="r3")), "SUCCEEDED")
        self.assert_too_much(self.gaming(1, "wager", round_id="r3"), 0)

    def test_a_rollback_of_what_was_not_counted_counts_nothing(self):
        wager, settlement = new_id(), new_id()
        self.assertEqual(state(self.gaming(80, "wager", key=wager)), "SUCCEEDED")
        self.assertEqual(state(self.gaming(60, "settlement", key=settlement, round_id="r2")), "SUCCEEDED")
        self.set_losses(100)
        self.assertEqual(state(self.gaming(80, "rollback", original_key=wager)), "SUCCEEDED")
        self.assertEqual(state(self.gaming(60, "rollback", original_key=settlement, round_id="r2")), "SUCCEEDED")
        self.assert_lost(0, 100)

    def test_a_rollback_of_nothing_counts_nothing(self):
        self.set_losses(100)
        self.assertEqual(state(self.gaming(60, "rollback", original_key=new_id())), "SUCCEEDED")
        self.assert_lost(0, 100)

    def test_excluded_persons_do_not_wager_but_are_paid(self):
        self.player.SelfExclude(for_ever=True, **self.key())
        for stub in (self.player, self.payments):
            payment = self.gaming(1, "wager", stub)
            self.assertEqual((state(payment), payment.reason), ("DECLINED", "SELF_EXCLUDED"))
        self.assertEqual(state(self.gaming(5, "settlement")), "SUCCEEDED")

    def test_not_a_unit_too_much(self):
        self.set_losses(100)
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            payments = list(pool.map(lambda n: self.gaming(3, "wager", (self.payments, self.player)[n % 2]), range(64)))
        self.assertEqual(sum(state(payment) == "SUCCEEDED" for payment in payments), 33)
        self.assert_lost(99, 1)


class Changes(LimitCase):
    def test_lower_counts_at_once_and_a_raise_waits(self):
        self.set_limit(100)
        self.assertEqual(self.set_limit(40).limit.amount_minor, 40)
        self.assert_refused(self.deposit(41), "day", 40, 40)
        raised = self.set_limit(90)
        self.assertEqual((raised.limit.amount_minor, raised.pending.limit.amount_minor), (40, 90))
        self.assertAlmostEqual(raised.pending.effective_time.seconds, time.time() + DAY_S, delta=60)
        self.assert_refused(self.deposit(41), "day", 40, 40)
        self.assertEqual(self.set_limit(90), raised)  # repeated: it does not wait anew
        self.assertEqual(self.set_limit(None).pending.HasField("limit"), False)
        self.assertFalse(self.set_limit(40).HasField("pending"))

    def test_a_raise_counts_after_its_time(self):
        self.set_market(cooling_off_s=2)
        self.set_limit(40)
        asked = time.time()
        self.set_limit(90)
        self.set_market(cooling_off_s=DAY_S)  # what waits already keeps its time
        request = deposit(self.ledger, self.wallet, 41)
        self.assert_refused(self.player.call("CreatePayment", request).payment, "day", 40, 40)
        day = environment.wait_until(
            lambda: (lambda one: one if one.limit.amount_minor == 90 else None)(self.limits()[p.LIMIT_PERIOD_DAY]),
            10, "the raise counts")
        self.assertGreaterEqual(time.time() - asked, 1.9)
        self.assertFalse(day.HasField("pending"))
        self.assertEqual(state(self.deposit(90)), "SUCCEEDED")
        self.assert_refused(self.deposit(1), "day", 90, 0)

    def test_below_what_is_used(self):
        self.set_limit(100)
        self.assertEqual(state(self.deposit(80)), "SUCCEEDED")
        lowered = self.set_limit(50)
        self.assertEqual((lowered.used_minor, lowered.left_minor), (80, 0))
        self.assert_refused(self.deposit(1), "day", 50, 0)

    def test_record_of_who_and_why(self):
        self.set_limit(100, reason="mine")
        self.payments.call("SetLimit", self.limit_request(50, reason="duty of care"))
        self.payments.call("SetLimit", self.limit_request(50, reason="the same again"))
        changes = self.payments.ListLimitChanges(**self.key()).changes
        self.assertEqual([(one.identity, one.reason, one.action, one.limit.amount_minor) for one in changes],
                         [("operator", "duty of care", "SET_LIMIT", 50), ("gateway", "mine", "SET_LIMIT", 100)])
        self.assertEqual(changes[1].user_id, self.person.user_id)
        page = self.player.ListLimitChanges(page_size=1, **self.key())
        rest = self.player.ListLimitChanges(page_token=page.next_page_token, **self.key())
        self.assertEqual([*page.changes, *rest.changes], list(changes))
        self.assertEqual(rest.next_page_token, "")
        market = self.payments.ListLimitChanges(ledger_id=self.ledger.id).changes
        self.assertEqual([one.market for one in market], ["Europe/Berlin, week from day 1, cooling-off 86400 s"])

    def test_records_stay(self):
        self.set_limit(100)
        for table in ("limit_changes", "limit_refusals"):
            for right in (f"has_table_privilege('payments_service', '{table}', 'DELETE')",
                          f"has_any_column_privilege('payments_service', '{table}', 'UPDATE')"):
                self.assertEqual(environment.sql_value("payments", f"SELECT {right}"), "f")


class Restrictions(LimitCase):
    def restrictions(self):
        return [(one.kind, one.until.seconds if one.HasField("until") else None)
                for one in self.player.ListRestrictions(**self.key()).restrictions]

    def test_excluded_persons_withdraw_but_do_not_deposit(self):
        self.assertEqual(state(self.deposit(50)), "SUCCEEDED")
        self.player.SelfExclude(for_ever=True, **self.key())
        for stub in (self.player, self.payments):
            payment = self.deposit(1, stub)
            self.assertEqual((state(payment), payment.reason), ("DECLINED", "SELF_EXCLUDED"))
            self.assertEqual(payment.limit_refusal, p.LimitRefusal())
        self.assertEqual(self.restrictions(), [(p.RESTRICTION_KIND_SELF_EXCLUSION, None)])
        self.assertEqual(state(self.player.call("CreatePayment", withdrawal(self.ledger, self.wallet, 50)).payment),
                         "SUCCEEDED")

    def test_exclusion_only_grows_and_stands_until_it_is_lifted(self):
        end = moment(1.5)
        self.player.SelfExclude(until=end, **self.key())
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "EXCLUSION_STANDS"):
            self.payments.LiftSelfExclusion(reason="asked", **self.key())
        shorter = self.player.SelfExclude(until=moment(0.7), **self.key()).restriction
        self.assertEqual(shorter.until, end)
        with self.refused(grpc.StatusCode.PERMISSION_DENIED, "IDENTITY_DENIED"):
            self.player.LiftSelfExclusion(reason="please", **self.key())
        time.sleep(max(0, end.seconds + end.nanos / 1e9 - time.time()) + 0.1)
        refused = self.deposit(1)
        self.assertEqual((refused.reason, refused.limit_refusal.until), ("SELF_EXCLUDED", end))
        self.payments.LiftSelfExclusion(reason="came back in person", **self.key())
        self.payments.LiftSelfExclusion(reason="again", **self.key())
        self.assertEqual(state(self.deposit(1)), "SUCCEEDED")
        self.assertEqual([one.action for one in self.payments.ListLimitChanges(**self.key()).changes],
                         ["LIFT_SELF_EXCLUSION", "SELF_EXCLUDE"])

    def test_for_ever_is_for_ever(self):
        self.player.SelfExclude(for_ever=True, **self.key())
        self.assertFalse(self.player.SelfExclude(until=moment(9), **self.key()).restriction.HasField("until"))
        with self.refused(grpc.StatusCode.FAILED_PRECONDITION, "EXCLUSION_STANDS"):
            self.payments.LiftSelfExclusion(reason="asked", **self.key())

    def test_time_out_ends_by_itself(self):
        end = moment(1.2)
        self.player.TimeOut(until=end, **self.key())
        self.assertEqual(self.player.TimeOut(until=moment(0.6), **self.key()).restriction.until, end)
        refused = self.deposit(1)
        self.assertEqual((refused.reason, refused.limit_refusal.until), ("TIMED_OUT", end))
        time.sleep(max(0, end.seconds + end.nanos / 1e9 - time.time()) + 0.1)
        self.assertEqual((state(self.deposit(1)), self.restrictions()), ("SUCCEEDED", []))

    def test_exclusion_races_deposits(self):
        """What is asked for after the exclusion was acknowledged is refused; at whatever instant it comes."""
        for _ in range(5):
            person = world.person()
            wallet = self.ledger.wallet(person.user_id)
            key = {"ledger_id": self.ledger.id, "person_id": person.user_id}
            excluded = []

            def spend(_):
                after = bool(excluded)
                return after, person.at("payments").call("CreatePayment", deposit(self.ledger, wallet, 1)).payment.reason

            def exclude():
                time.sleep(0.03)
                person.at("payments").SelfExclude(for_ever=True, **key)
                excluded.append(True)

            with concurrent.futures.ThreadPoolExecutor(9) as pool:
                exclusion = pool.submit(exclude)
                outcomes = list(pool.map(spend, range(60)))
                exclusion.result()
            for after, reason in outcomes:
                self.assertIn(reason, ("SELF_EXCLUDED",) if after else ("", "SELF_EXCLUDED"))
            taken = sum(reason == "" for _, reason in outcomes)
            self.assertEqual(self.ledger.balances(wallet).posted_minor, taken)


class TwoProcesses(LimitCase):
    def test_not_a_unit_too_much_and_not_one_too_few(self):
        """64 at once, of one person, against two processes: amounts that fit use the limit up exactly."""
        with Replica("payments") as second:
            stubs = [self.payments, second.stub(token=world.operator_token())]
            for amounts, limit_minor in (([1] * 64, 40), ([7] * 64, 100), ([n % 5 + 1 for n in range(64)], 61)):
                self.check(stubs, amounts, limit_minor)

    def check(self, stubs, amounts, limit_minor):
        person = world.person()
        wallet = self.ledger.wallet(person.user_id)
        key = {"ledger_id": self.ledger.id, "person_id": person.user_id}
        request = self.limit_request(limit_minor, **{"person_id": person.user_id})
        person.at("payments").call("SetLimit", request)

        def one(number):
            request = deposit(self.ledger, wallet, amounts[number])
            return self.rested(stubs[number % 2], request)

        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            payments = list(pool.map(one, range(64)))
        taken = sum(payment.amount_minor for payment in payments if state(payment) == "SUCCEEDED")
        refused = [payment for payment in payments if payment.reason == "LIMIT_EXCEEDED"]
        self.assertEqual(len(refused) + sum(state(payment) == "SUCCEEDED" for payment in payments), 64)
        self.assertLessEqual(taken, limit_minor)
        left = limit_minor - taken
        self.assertLess(left, min(payment.amount_minor for payment in refused))
        self.assertEqual(self.ledger.balances(wallet).posted_minor, taken)
        day = self.payments.ListLimits(**key).limits[0]
        self.assertEqual((day.used_minor, day.left_minor), (taken, left))
        for payment in refused:
            self.assertLess(payment.limit_refusal.left_minor, payment.amount_minor)
            self.assertGreaterEqual(payment.limit_refusal.left_minor, left)


class Calendar(LimitCase):
    """The periods of a market, at moments of the past and the future: the functions that the batches use."""

    def period(self, name, moment_text, zone, week_start=1):
        number, at = PERIODS[name], f"'{moment_text}'::timestamptz"
        rows = environment.sql("payments", "SET timezone = 'UTC'; SELECT "
                               f"limit_period_start({number}::smallint, {at}, '{zone}', {week_start}::smallint), "
                               f"limit_period_end({number}::smallint, {at}, '{zone}', {week_start}::smallint)")
        start, end = rows[0]
        return start, end.replace("+00", "")

    def test_periods(self):
        for name, moment_text, zone, week_start, expected in (
                ("day", "2026-06-15 21:59:59.999999Z", "Europe/Berlin", 1, ("2026-06-15", "2026-06-15 22:00:00")),
                ("day", "2026-06-15 22:00:00Z", "Europe/Berlin", 1, ("2026-06-16", "2026-06-16 22:00:00")),
                # 23 and 25 hours: the clocks change at 01:00 UTC.
                ("day", "2026-03-28 23:00:00Z", "Europe/Berlin", 1, ("2026-03-29", "2026-03-29 22:00:00")),
                ("day", "2026-03-29 21:59:59Z", "Europe/Berlin", 1, ("2026-03-29", "2026-03-29 22:00:00")),
                ("day", "2026-10-24 22:00:00Z", "Europe/Berlin", 1, ("2026-10-25", "2026-10-25 23:00:00")),
                ("day", "2026-10-25 22:59:59Z", "Europe/Berlin", 1, ("2026-10-25", "2026-10-25 23:00:00")),
                # Midnight does not exist: the clocks went from 00:00 to 01:00.
                ("day", "2018-11-04 03:00:00Z", "America/Sao_Paulo", 1, ("2018-11-04", "2018-11-05 02:00:00")),
                ("day", "2018-11-04 02:59:59Z", "America/Sao_Paulo", 1, ("2018-11-03", "2018-11-04 03:00:00")),
                ("day", "2026-11-24 18:20:00Z", "Asia/Kathmandu", 1, ("2026-11-25", "2026-11-25 18:15:00")),
                # Weeks from Monday, Saturday and Sunday; over the change of the clocks.
                ("week", "2026-11-22 22:59:59Z", "Europe/Berlin", 1, ("2026-11-16", "2026-11-22 23:00:00")),
                ("week", "2026-11-22 23:00:00Z", "Europe/Berlin", 1, ("2026-11-23", "2026-11-29 23:00:00")),
                ("week", "2026-11-22 12:00:00Z", "Europe/Berlin", 7, ("2026-11-22", "2026-11-28 23:00:00")),
                ("week", "2026-11-20 12:00:00Z", "Africa/Cairo", 6, ("2026-11-14", "2026-11-20 22:00:00")),
                ("week", "2026-10-20 12:00:00Z", "Europe/Berlin", 1, ("2026-10-19", "2026-10-25 23:00:00")),
                # Months, leap years, and the year's end far from Greenwich.
                ("month", "2026-10-31 23:30:00Z", "Europe/Berlin", 1, ("2026-11-01", "2026-11-30 23:00:00")),
                ("month", "2028-02-10 00:00:00Z", "UTC", 1, ("2028-02-01", "2028-03-01 00:00:00")),
                ("month", "2026-12-31 12:00:00Z", "Pacific/Kiritimati", 1, ("2027-01-01", "2027-01-31 10:00:00")),
                ("month", "2027-01-01 09:00:00Z", "Pacific/Pago_Pago", 1, ("2026-12-01", "2027-01-01 11:00:00"))):
            with self.subTest(period=name, moment=moment_text, zone=zone):
                self.assertEqual(self.period(name, moment_text, zone, week_start), expected)

    def test_limits_follow_the_market(self):
        self.set_limit(10)
        for zone, offset_h in (("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)):
            self.set_market(time_zone=zone)
            local = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=offset_h)))
            start = local.replace(hour=0, minute=0, second=0, microsecond=0)
            day = self.limits()[p.LIMIT_PERIOD_DAY]
            self.assertEqual((day.period_start.seconds, day.period_end.seconds),
                             (start.timestamp(), start.timestamp() + DAY_S))

    def test_a_new_day_begins_anew(self):
        self.set_limit(10)
        self.set_limit(15, "month")
        self.assertEqual(state(self.deposit(10)), "SUCCEEDED")
        # What was used was used yesterday, or on a day of this month before.
        environment.sql("payments", "UPDATE limit_usage SET period_start = period_start - 1 WHERE period = 1 AND "
                        f"ledger_id = '{self.ledger.id}'")
        self.assert_refused(self.deposit(6), "month", 15, 5)
        self.assertEqual(state(self.deposit(5)), "SUCCEEDED")

    def test_sql_holds_the_limit_too(self):
        self.set_limit(10)
        self.assertEqual(state(self.deposit(10)), "SUCCEEDED")
        with self.assertRaisesRegex(RuntimeError, "limit_usage_within"):
            environment.sql("payments", f"UPDATE limit_usage SET used_minor = 11 WHERE ledger_id = '{self.ledger.id}' "
                            "AND period = 1")


class Turning(LimitCase):
    """Limits of all periods used up from day to day, while the database's clock goes through a market's calendar. 10 are taken
    when a period begins anew; what is refused then, of 11, and from then on, of 1, names the limit that leaves least, of equals
    the longest period's, what it leaves, and when its period ends."""

    LIMITS = {"day": 10, "week": 20, "month": 30}
    # Berlin's clocks are an hour before UTC's until the last Sunday of March, then two. Monday is the 25th.
    DAYS = (
        # 10 more are taken; named is; its period ends; and what each period has left in the end
        ("2030-03-21 12:00:00 Europe/Berlin", True, "day", "2030-03-21T23:00:00Z", (0, 10, 20)),
        ("2030-03-21 23:59:20 Europe/Berlin", False, "day", "2030-03-21T23:00:00Z", (0, 10, 20)),
        ("2030-03-22 00:00:00 Europe/Berlin", True, "week", "2030-03-24T23:00:00Z", (0, 0, 10)),
        ("2030-03-24 23:59:20 Europe/Berlin", False, "week", "2030-03-24T23:00:00Z", (10, 0, 10)),
        ("2030-03-25 00:00:00 Europe/Berlin", True, "month", "2030-03-31T22:00:00Z", (0, 10, 0)),
        ("2030-03-31 23:59:20 Europe/Berlin", False, "month", "2030-03-31T22:00:00Z", (10, 10, 0)),
        ("2030-04-01 00:00:00 Europe/Berlin", True, "day", "2030-04-01T22:00:00Z", (0, 10, 20)))

    def walk(self, measure, pay):
        clock = DatabaseClock("payments")
        self.addCleanup(clock.drop)
        replica = Replica("payments")
        clock.give_to(replica)
        with replica:
            self.player = replica.stub("gateway", self.person.token)
            for period, amount in self.LIMITS.items():
                self.set_limit(amount, period, measure=measure)
            for moment_text, anew, period, ends, left in self.DAYS:
                with self.subTest(moment=moment_text):
                    clock.set(moment_text)
                    if anew:
                        self.assert_names(pay(11), measure, period, 10, ends)
                        self.assertEqual(state(pay(10)), "SUCCEEDED")
                    self.assert_names(pay(1), measure, period, 0, ends)
                    self.assertEqual(tuple(self.limits()[one].left_minor for one in PERIODS.values()), left)

    def assert_names(self, payment, measure, period, left_minor, ends):
        self.assertEqual((state(payment), payment.reason), ("DECLINED", "LIMIT_EXCEEDED"))
        refusal = payment.limit_refusal
        self.assertEqual(
            (refusal.measure, refusal.period, refusal.limit_minor, refusal.left_minor, refusal.until.ToJsonString()),
            (measure, PERIODS[period], self.LIMITS[period], left_minor, ends))

    def test_deposits(self):
        self.walk(p.LIMIT_MEASURE_DEPOSITS, self.deposit)
        self.assertEqual(self.balance(), 40)

    def test_losses(self):
        game = self.ledger.open("game")
        self.wallet = self.ledger.wallet(self.person.user_id, 100)

        def wager(amount_minor):
            return self.player.call("CreatePayment", request(self.ledger, amount_minor, wager=p.Wager(
                account_id=self.wallet, game_account_id=game, round_id="r1"))).payment
        self.walk(p.LIMIT_MEASURE_LOSSES, wager)
        self.assertEqual(self.balance(), 60)


class BadInput(LimitCase):
    KEY = ((having(ledger_id="x"), "INVALID_UUID", "ledger_id"), (having(ledger_id=""), "INVALID_UUID", "ledger_id"),
           (having(person_id=""), "INVALID_LENGTH", "person_id"), (having(person_id="x" * 65), "INVALID_LENGTH", "person_id"),
           (having(person_id="a b"), "INVALID_TEXT", "person_id"),
           (having(person_id=new_id().upper()), "INVALID_UUID", "person_id"))
    REASON = ((having(reason=""), "INVALID_LENGTH", "reason"), (having(reason="x" * 257), "INVALID_LENGTH", "reason"),
              (having(reason="a\nb"), "INVALID_TEXT", "reason"))

    def test_set_limit(self):
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "SetLimit", self.limit_request(5, reason="x"), (
                *self.KEY, *self.REASON,
                (having(currency="eur"), "INVALID_CURRENCY", "currency"), (having(currency=""), "INVALID_CURRENCY", "currency"),
                (having(measure=0), "INVALID_FIELD", "measure"), (having(measure=3), "INVALID_FIELD", "measure"),
                (having(period=0), "INVALID_FIELD", "period"), (having(period=4), "INVALID_FIELD", "period"),
                (having(limit__amount_minor=-1), "INVALID_AMOUNT", "limit.amount_minor"),
                (having(limit__amount_minor=2**63 - 1), "INVALID_AMOUNT", "limit.amount_minor")))

    def test_restrictions(self):
        good = p.SelfExcludeRequest(until=moment(60), reason="x", **self.key())
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "SelfExclude", good, (
                *self.KEY, *self.REASON, (having(for_ever=False), "INVALID_FIELD", "end"),
                (lambda request: request.ClearField("until"), "INVALID_FIELD", "end"),
                (having(until__seconds=1), "INVALID_TIME", "until"), (having(until__seconds=2**62), "INVALID_TIME", "until"),
                (having(until__nanos=-1), "INVALID_TIME", "until"), (having(until__nanos=10**9), "INVALID_TIME", "until")))
            self.check_bad_input(self.payments, "TimeOut", p.TimeOutRequest(until=moment(60), reason="x", **self.key()), (
                *self.KEY, *self.REASON, (lambda request: request.ClearField("until"), "INVALID_TIME", "until"),
                (having(until__seconds=int(time.time()) - 5), "INVALID_TIME", "until"),
                (having(until__seconds=int(time.time()) + 42 * DAY_S + 60), "INVALID_TIME", "until")))
            self.check_bad_input(self.payments, "LiftSelfExclusion",
                                 p.LiftSelfExclusionRequest(reason="x", **self.key()), (*self.KEY, *self.REASON))

    def test_lists(self):
        for name, request in (("ListLimits", p.ListLimitsRequest), ("ListRestrictions", p.ListRestrictionsRequest)):
            self.check_bad_input(self.payments, name, request(**self.key()), self.KEY)
        self.check_bad_input(self.payments, "ListLimitChanges", p.ListLimitChangesRequest(**self.key()), (
            self.KEY[0], self.KEY[3], (having(page_size=-1), "INVALID_FIELD", "page_size"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"), (having(page_token="x"), "PAGE_TOKEN_INVALID", "page_token")))

    def test_market(self):
        good = p.SetMarketRequest(reason="x", market=p.Market(ledger_id=new_id(), time_zone="UTC", week_start=1))
        with self.nothing_written("payments"):
            self.check_bad_input(self.payments, "SetMarket", good, (
                *self.REASON, (lambda request: request.ClearField("market"), "INVALID_FIELD", "market"),
                (having(market__ledger_id="x"), "INVALID_UUID", "market.ledger_id"),
                (having(market__time_zone=""), "INVALID_LENGTH", "market.time_zone"),
                (having(market__time_zone="Europe/Atlantis"), "INVALID_TIME_ZONE", "market.time_zone"),
                (having(market__time_zone="FOO+3"), "INVALID_TIME_ZONE", "market.time_zone"),
                (having(market__time_zone="localtime"), "INVALID_TIME_ZONE", "market.time_zone"),
                (having(market__time_zone="a'b"), "INVALID_TEXT", "market.time_zone"),
                (having(market__week_start=0), "INVALID_FIELD", "market.week_start"),
                (having(market__week_start=8), "INVALID_FIELD", "market.week_start"),
                (having(market__cooling_off_s=-1), "INVALID_FIELD", "market.cooling_off_s"),
                (having(market__cooling_off_s=31536001), "INVALID_FIELD", "market.cooling_off_s")))

    def test_a_ledger_without_a_market_has_no_limits(self):
        elsewhere = {"ledger_id": new_id(), "person_id": self.person.user_id}
        with self.nothing_written("payments"):
            with self.not_found("MARKET_NOT_FOUND"):
                self.player.call("SetLimit", self.limit_request(5, **elsewhere))
            with self.not_found("MARKET_NOT_FOUND"):
                self.player.SelfExclude(for_ever=True, **elsewhere)
            with self.not_found("MARKET_NOT_FOUND"):
                self.player.GetMarket(ledger_id=elsewhere["ledger_id"])

    def test_players_name_only_themselves(self):
        other = {"ledger_id": self.ledger.id, "person_id": world.person().user_id}
        for call in (lambda: self.player.call("SetLimit", self.limit_request(5, **other)),
                     lambda: self.player.SelfExclude(for_ever=True, **other),
                     lambda: self.player.TimeOut(until=moment(9), **other),
                     lambda: self.player.ListLimits(**other), lambda: self.player.ListRestrictions(**other),
                     lambda: self.player.ListLimitChanges(**other)):
            with self.nothing_written("payments"), self.refused(grpc.StatusCode.PERMISSION_DENIED, "PERSON_DENIED"):
                call()


if __name__ == "__main__":
    unittest.main()
