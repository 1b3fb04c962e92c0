"""Watch: nothing missed, nothing doubled, in order per payment, whoever writes and however often the reader comes back."""

import concurrent.futures
import contextlib
import random
import signal
import subprocess
import os
import threading
import time
import unittest

import grpc

from support import environment, tokens, world
from support.cases import Case, having
from support.client import Refused, Stub, TIMEOUT_S, channel, find_method
from support.contracts import payments as p
from support.replicas import Replica
from support.world import Market, deposit, internal, new_id, state


def messages(stub, ledger_id, seconds=TIMEOUT_S, **more):
    """Of one call, until it is closed or its time is over."""
    call = stub.stream("Watch", p.WatchRequest(ledger_id=ledger_id, **more), timeout=seconds)
    with contextlib.suppress(Refused):
        yield from call


def recorded(ledger_id):
    """What there is: (payment, version)."""
    rows = environment.sql("payments", "SELECT payment_id, version FROM payment_events "
                           f"WHERE ledger_id = '{ledger_id}'")
    return sorted((payment_id, int(version)) for payment_id, version in rows)


def change(message):
    return message.payment.payment_id, message.payment.version


class WatchCase(Case):
    def setUp(self):
        self.ledger = Market()
        self.wallet = self.ledger.wallet("anna", 100000)
        self.other = self.ledger.wallet("bert")
        self.payments = self.ledger.payments

    def transfer(self, stub=None, amount_minor=1):
        return (stub or self.payments).call("CreatePayment", internal(self.ledger, self.wallet, self.other, amount_minor)).payment

    def until(self, wanted, **more):
        """Changes from the first on, until these have come."""
        seen = []
        for message in messages(more.pop("stub", self.payments), self.ledger.id, **more):
            if message.HasField("payment"):
                seen.append(message)
                if set(map(change, seen)) >= set(wanted):
                    break
        return seen

    def assert_in_order(self, seen):
        at = {}
        for payment_id, version in seen:
            self.assertEqual(version, at.get(payment_id, 0) + 1, (payment_id, version))
            at[payment_id] = version


class Watch(WatchCase):
    def test_shows_each_change_as_it_was(self):
        payment = self.payments.call("CreatePayment", deposit(self.ledger, self.wallet, 7, reference="r")).payment
        seen = self.until([(payment.payment_id, 4)])
        self.assertEqual([state(message.payment) for message in seen], ["CREATED", "SUBMITTED", "SETTLING", "SUCCEEDED"])
        self.assertEqual(seen[-1].payment, payment)
        self.assertEqual(seen[0].payment.reference, "r")

    def test_says_which_limit_declined(self):
        anna = world.person()
        wallet = self.ledger.wallet(anna.user_id)
        self.payments.SetMarket(reason="test", market=p.Market(ledger_id=self.ledger.id, time_zone="UTC", week_start=1))
        limit = p.SetLimitRequest(ledger_id=self.ledger.id, person_id=anna.user_id, currency="EUR",
                                  measure=p.LIMIT_MEASURE_DEPOSITS, period=p.LIMIT_PERIOD_WEEK)
        limit.limit.amount_minor = 10
        anna.at("payments").call("SetLimit", limit)
        payment = anna.at("payments").call("CreatePayment", deposit(self.ledger, wallet, 11)).payment
        seen = self.until([(payment.payment_id, 2)])
        self.assertEqual([message.payment.HasField("limit_refusal") for message in seen], [False, True])
        self.assertEqual(seen[-1].payment, payment)
        self.assertEqual((payment.limit_refusal.period, payment.limit_refusal.left_minor), (p.LIMIT_PERIOD_WEEK, 10))
        # The ledger's own limit has the same reason, and says no more.
        full = self.ledger.open("anna", lower=0, upper=5)
        other = self.payments.call("CreatePayment", internal(self.ledger, self.wallet, full, 6)).payment
        seen = self.until([(other.payment_id, 2)])
        self.assertEqual((other.reason, other.HasField("limit_refusal")), ("LIMIT_EXCEEDED", False))
        self.assertEqual(seen[-1].payment, other)

    def test_goes_on_from_a_position(self):
        for _ in range(3):
            self.transfer()
        every = self.until(recorded(self.ledger.id))
        for place, message in enumerate(every[:-1]):
            rest = self.until([change(every[-1])], position=message.position)
            self.assertEqual([change(one) for one in rest], [change(one) for one in every[place + 1:]])

    def test_from_now(self):
        self.transfer()
        call = messages(self.payments, self.ledger.id, from_now=True)
        first = next(call)
        self.assertFalse(first.HasField("payment"))
        later = self.transfer()
        self.assertEqual([change(next(call)) for _ in range(2)], [(later.payment_id, 1), (later.payment_id, 2)])
        call.close()
        resumed = self.until([(later.payment_id, 2)], position=first.position)
        self.assertEqual(len(resumed), 2)

    def test_tells_how_far_it_has_come(self):
        self.transfer()
        quiet = [message for message, _ in zip(messages(self.payments, self.ledger.id), range(3))][-1]
        self.assertFalse(quiet.HasField("payment"))
        later = self.transfer()
        self.assertEqual(len(self.until([(later.payment_id, 2)], position=quiet.position)), 2)

    def test_player_sees_own_only(self):
        anna, bert = world.person(), world.person()
        mine = {}
        for one in (anna, bert):
            wallet = self.ledger.wallet(one.user_id)
            mine[one] = one.at("payments").call("CreatePayment", deposit(self.ledger, wallet, 5)).payment
        for one in (anna, bert):
            seen = self.until([(mine[one].payment_id, 4)], stub=one.at("payments"))
            self.assertEqual({message.payment.payment_id for message in seen}, {mine[one].payment_id})
            seen = self.until([(mine[one].payment_id, 4)], caller=one.user_id)
            self.assertEqual({message.payment.payment_id for message in seen}, {mine[one].payment_id})
        seen = self.until([(mine[bert].payment_id, 4)], stub=bert.at("payments"), caller=anna.user_id)
        self.assertEqual({message.payment.payment_id for message in seen}, {mine[bert].payment_id})

    def test_what_commits_later_is_not_skipped(self):
        """A transaction that began earlier and commits later: the reader waits for it, and then has both."""
        early = self.transfer()
        before = self.until([(early.payment_id, 2)])[-1].position
        statement = ("BEGIN; INSERT INTO payment_events (ledger_id, payment_id, version, from_state, state, reason, create_time)"
                     f" VALUES ('{self.ledger.id}', '{early.payment_id}', 3, 6, 13, '', now()); SELECT pg_sleep(3); COMMIT")
        psql = subprocess.Popen(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", os.environ["DALER_PAYMENTS_DB"],
                                 "-c", statement], stdout=subprocess.DEVNULL)
        environment.wait_until(lambda: environment.sql_value(
            "super", "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'BEGIN; INSERT%'") == "1",
            10, "the slow transaction is open")
        late = self.transfer()
        seen = self.until([(early.payment_id, 3), (late.payment_id, 2)], position=before)
        self.assertEqual(psql.wait(20), 0)
        self.assertEqual([change(message) for message in seen],
                         [(early.payment_id, 3), (late.payment_id, 1), (late.payment_id, 2)])

    def test_it_ends_with_its_token(self):
        """Whoever may watch may not go on for ever: 30 s after its end a token is no longer taken."""
        anna = world.person()
        token = tokens.altered(anna.token, tokens.own_key(), exp=int(time.time()) - 27)
        seen = []
        with self.refused(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED"):
            seen.extend(Stub("payments", "gateway", token).stream(
                "Watch", p.WatchRequest(ledger_id=self.ledger.id, from_now=True), timeout=20))
        self.assertTrue(seen[0].position)

    def test_bad_input(self):
        self.transfer()
        position = self.until(recorded(self.ledger.id))[0].position
        good = p.WatchRequest(ledger_id=self.ledger.id)
        for spoil, reason, field in (
                (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
                (having(caller="c" * 65), "INVALID_LENGTH", "caller"),
                (having(caller="\U0001f600" * 64), "INVALID_TEXT", "caller"),
                (having(caller=new_id().upper()), "INVALID_UUID", "caller"),
                (having(position="x"), "PAGE_TOKEN_INVALID", "position"),
                (having(position=position[:-1] + ("A" if position[-1] != "A" else "B")), "PAGE_TOKEN_INVALID", "position"),
                (having(position=position, caller="gateway"), "PAGE_TOKEN_INVALID", "position"),
                (having(position=position, ledger_id=new_id()), "PAGE_TOKEN_INVALID", "position"),
                (having(position=position, from_now=True), "INVALID_FIELD", "from_now")):
            request = p.WatchRequest()
            request.CopyFrom(good)
            spoil(request)
            with self.subTest(reason=reason, field=field), self.invalid(reason, field):
                list(self.payments.stream("Watch", request))


class Many(WatchCase):
    def test_those_who_watch_take_nobodys_place(self):
        """However many calls wait for changes, others are not shed for them; only so many may watch."""
        with Replica("payments", QUEUE_MAX=16, WATCHERS_MAX=40) as second:
            stub = second.stub(token=world.operator_token())
            watch = p.WatchRequest(ledger_id=self.ledger.id, from_now=True)
            streams = [stub.stream("Watch", watch) for _ in range(40)]
            for stream in streams:
                self.assertFalse(next(stream).HasField("payment"))
            made = self.transfer(stub)
            for stream in streams:
                self.assertEqual(change(next(stream)), (made.payment_id, 1))
            with self.refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS"):
                next(stub.stream("Watch", watch))

    def test_one_caller_takes_not_all_there_is(self):
        """Each user has a bound of their own, whatever connection and method; whoever leaves makes room."""
        anna, bert = world.person(), world.person()
        with Replica("payments", STREAMS_PER_CALLER_MAX=3) as second:
            def watch(person):
                stream = second.stub("gateway", person.token).stream(
                    "Watch", p.WatchRequest(ledger_id=self.ledger.id, from_now=True))
                next(stream)
                return stream
            streams = [watch(anna) for _ in range(3)]
            with self.refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
                watch(anna)
            others = [watch(bert) for _ in range(3)]
            with self.refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"):
                watch(bert)
            streams.pop().close()

            def again():
                with contextlib.suppress(Refused):
                    return watch(anna)
            streams.append(environment.wait_until(again, 5, "there is room again"))
            for stream in streams + others:
                stream.close()


class Storm(WatchCase):
    def test_two_replicas_write_and_the_reader_comes_back_at_random(self):
        chance = random.Random(26)
        with Replica("payments") as second:
            stubs = [self.payments, second.stub("operator", world.operator_token())]
            done = threading.Event()
            seen = {"first": [], "second": []}

            def read(name):
                """Leaves after a few changes, and goes on from one that it has seen, not always the last."""
                position, kept = "", seen[name]
                while True:
                    rest, reader = chance.randint(1, 60), stubs[chance.randint(0, 1)]
                    for message in messages(reader, self.ledger.id, position=position, seconds=3):
                        position = message.position
                        if message.HasField("payment"):
                            kept.append(change(message))
                            rest -= 1
                        elif done.is_set() and len(kept) >= len(recorded(self.ledger.id)):
                            return
                        if rest == 0:
                            break
                    if done.is_set() and len(kept) >= len(recorded(self.ledger.id)):
                        return

            def write(number):
                stub = stubs[number % 2]
                if number % 3 == 0:
                    stub.call("CreatePayment", deposit(self.ledger, self.wallet, 1, instrument="sim:ok,notify-none"))
                else:
                    self.transfer(stub)

            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                readers = [pool.submit(read, name) for name in seen]
                list(pool.map(write, range(400)))
                done.set()
                for reader in readers:
                    reader.result(60)
        for name, kept in seen.items():
            with self.subTest(reader=name):
                self.assert_in_order(kept)
                self.assertEqual(sorted(kept), recorded(self.ledger.id))


class Stopped(Case):
    def test_who_watches_is_told_that_it_may_go_on_elsewhere(self):
        """CANCELLED would be the caller's own doing, which nobody repeats."""
        ledger = Market()
        path, request_class, _ = find_method("payments", "Watch")
        replies = channel("payments", "operator").unary_stream(path, request_serializer=bytes, response_deserializer=bytes)(
            request_class(ledger_id=ledger.id).SerializeToString(), timeout=60,
            metadata=(("authorization", f"Bearer {world.operator_token()}"),))
        next(replies)  # how far everything has been seen
        os.kill(environment.pid("payments"), signal.SIGTERM)
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in replies:
                pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
        environment.wait_until(lambda: environment.pid("payments"), 30, "payments was started again")
        environment.wait_ready("payments")


if __name__ == "__main__":
    unittest.main()
