"""ListPayments: every filter, pages that neither miss nor double, and no page that reads more than its bound."""

import json
import time
import unittest

from support import environment, world
from support.cases import Case, having
from support.contracts import CONTRACTS
from support.contracts import payments as p
from support.world import Market, deposit, internal, new_id, withdrawal

Timestamp = CONTRACTS.message("google.protobuf.Timestamp")


class Lists(Case):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Market(("EUR", "USD"))
        cls.payments = cls.ledger.payments
        cls.wallet = cls.ledger.wallet("anna", 1000)
        cls.other = cls.ledger.wallet("bert")
        cls.dollars = cls.ledger.wallet("anna", 1000, "USD")
        cls.anna = world.person()
        own = cls.ledger.wallet(cls.anna.user_id)
        made = {
            "deposit": deposit(cls.ledger, cls.wallet, 10, reference="order-1"),
            "withdrawal": withdrawal(cls.ledger, cls.wallet, 20, reference="order-2"),
            "transfer": internal(cls.ledger, cls.wallet, cls.other, 30, reference="order-2"),
            "declined": internal(cls.ledger, cls.other, cls.wallet, 999999),
            "dollars": deposit(cls.ledger, cls.dollars, 40, currency="USD"),
        }
        cls.ids = {name: cls.payments.call("CreatePayment", request).payment for name, request in made.items()}
        cls.between = time.time()
        time.sleep(0.01)
        cls.ids["own"] = cls.anna.at("payments").call("CreatePayment", deposit(cls.ledger, own, 50)).payment
        cls.names = {payment.payment_id: name for name, payment in cls.ids.items()}

    def listed(self, stub=None, **more):
        reply = (stub or self.payments).ListPayments(ledger_id=self.ledger.id, **more)
        return [self.names[payment.payment_id] for payment in reply.payments]

    @staticmethod
    def moment(seconds):
        return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e6) * 1000)

    def test_filters(self):
        everything = ["own", "dollars", "declined", "transfer", "withdrawal", "deposit"]
        operator = self.payments.GetPayment(payment_id=self.ids["deposit"].payment_id)
        self.assertEqual(operator.payment, self.ids["deposit"])
        at = self.moment(self.between)
        for filters, expected in (
                ({}, everything),
                ({"kind": p.PAYMENT_KIND_DEPOSIT}, ["own", "dollars", "deposit"]),
                ({"kind": p.PAYMENT_KIND_TRANSFER}, ["declined", "transfer"]),
                ({"kind": p.PAYMENT_KIND_WITHDRAWAL}, ["withdrawal"]),
                ({"kind": p.PAYMENT_KIND_WAGER}, []),
                ({"state": p.PAYMENT_STATE_DECLINED}, ["declined"]),
                ({"state": p.PAYMENT_STATE_UNKNOWN}, []),
                ({"account_id": self.wallet}, ["transfer", "withdrawal", "deposit"]),
                ({"account_id": new_id()}, []),
                ({"caller": self.anna.user_id}, ["own"]),
                ({"caller": "nobody"}, []),
                ({"connector": "simulator"}, ["own", "dollars", "withdrawal", "deposit"]),
                ({"connector": "another"}, []),
                ({"reference": "order-2"}, ["transfer", "withdrawal"]),
                ({"reference": "order"}, []),
                ({"start_time": at}, ["own"]),
                ({"end_time": at}, everything[1:]),
                ({"start_time": self.moment(0), "end_time": self.moment(1)}, []),
                ({"currency": "USD"}, ["dollars"]),
                ({"currency": "EUR", "amount_minor_min": 20, "amount_minor_max": 30}, ["transfer", "withdrawal"]),
                ({"currency": "EUR", "amount_minor_min": 31}, ["own", "declined"]),
                ({"reference": "order-2", "kind": p.PAYMENT_KIND_TRANSFER, "account_id": self.wallet}, ["transfer"])):
            with self.subTest(filters=filters):
                self.assertEqual(self.listed(**filters), expected)

    def test_player_sees_own_whatever_is_asked_for(self):
        player = self.anna.at("payments")
        self.assertEqual(self.listed(player), ["own"])
        self.assertEqual(self.listed(player, caller="operator"), ["own"])
        self.assertEqual(self.listed(player, account_id=self.wallet), [])

    def test_pages(self):
        for filters in ({}, {"kind": p.PAYMENT_KIND_DEPOSIT}, {"account_id": self.wallet}, {"reference": "order-2"}):
            expected, seen, token = self.listed(**filters), [], ""
            while True:
                reply = self.payments.ListPayments(ledger_id=self.ledger.id, page_size=1, page_token=token, **filters)
                self.assertLessEqual(len(reply.payments), 1)
                seen += [self.names[payment.payment_id] for payment in reply.payments]
                token = reply.next_page_token
                if not token:
                    break
                for change in (having(page_token=token, reference="x"), having(page_token=token, amount_minor_min=1, currency="EUR"),
                               having(page_token="A" + token[1:] if token[0] != "A" else "B" + token[1:])):
                    request = p.ListPaymentsRequest(ledger_id=self.ledger.id, page_size=1, page_token=token, **filters)
                    change(request)
                    with self.invalid("PAGE_TOKEN_INVALID", "page_token"):
                        self.payments.call("ListPayments", request)
            self.assertEqual(seen, expected)

    def test_bad_input(self):
        good = p.ListPaymentsRequest(ledger_id=self.ledger.id)
        self.check_bad_input(self.payments, "ListPayments", good, [
            (having(ledger_id="x"), "INVALID_UUID", "ledger_id"),
            (having(kind=99), "INVALID_FIELD", "kind"),
            (having(kind=-1), "INVALID_FIELD", "kind"),
            (having(state=99), "INVALID_FIELD", "state"),
            (having(account_id="x"), "INVALID_UUID", "account_id"),
            (having(caller="c" * 65), "INVALID_LENGTH", "caller"),
            (having(caller="0199AAAA-0000-7000-8000-000000000001"), "INVALID_UUID", "caller"),
            (having(connector="Up"), "INVALID_TEXT", "connector"),
            (having(reference="r" * 129), "INVALID_LENGTH", "reference"),
            (having(currency="euro"), "INVALID_TEXT", "currency"),
            (having(currency="EU"), "INVALID_LENGTH", "currency"),
            (having(amount_minor_min=-1, currency="EUR"), "INVALID_AMOUNT", "amount_minor_min"),
            (having(amount_minor_min=2, amount_minor_max=1, currency="EUR"), "INVALID_AMOUNT", "amount_minor_max"),
            (having(amount_minor_min=2), "INVALID_CURRENCY", "currency"),
            (having(page_size=-1), "INVALID_FIELD", "page_size"),
            (having(page_size=1001), "INVALID_FIELD", "page_size"),
            (lambda request: request.end_time.CopyFrom(Timestamp()), "INVALID_FIELD", "end_time"),
            (lambda request: request.start_time.CopyFrom(Timestamp(nanos=10 ** 9)), "INVALID_FIELD", "start_time"),
        ])


MANY = 100_000
LOOKS_MAX = 10_000  # PAYMENT_LOOKS_MAX
RARE = 7            # a deposit among transfers: the oldest of all, and few more


class Bounded(Case):
    """A ledger of 100,000 payments: whatever is asked for, a page reads no more than it may look at."""

    @classmethod
    def setUpClass(cls):
        cls.ledger = Market()
        cls.payments = cls.ledger.payments
        cls.busy, cls.quiet, cls.service, cls.user = new_id(), new_id(), new_id(), new_id()
        cls.first_ms = int(time.time() * 1000) - 10 * MANY
        rare = f"(n < {RARE})"
        # Ids are time-ordered, as the service makes them: one each millisecond, the oldest first.
        environment.sql("payments", f"""
            INSERT INTO payments (ledger_id, payment_id, caller, idempotency_key, body_hash, kind, account_id, counter_id,
                amount_minor, currency, connector, instrument, reference, state, open, reason, version, lease_owner, fence,
                create_time, update_time)
            SELECT '{cls.ledger.id}', (lpad(to_hex({cls.first_ms} + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
                CASE WHEN n % 50000 = 0 THEN '{cls.user}' ELSE '{cls.service}' END, 'key-' || n, sha256(n::text::bytea),
                CASE WHEN {rare} THEN 1 ELSE 3 END,
                CASE WHEN n % 40000 = 0 THEN '{cls.quiet}' ELSE '{cls.busy}' END::uuid, gen_random_uuid(),
                1 + n, CASE WHEN {rare} THEN 'USD' ELSE 'EUR' END, CASE WHEN {rare} THEN 'simulator' ELSE '' END, '',
                CASE WHEN n % 30000 = 0 THEN 'rare' WHEN n % 2 = 0 THEN 'order' ELSE '' END,
                CASE WHEN {rare} THEN 7 ELSE 6 END, false, '', 2, '{new_id()}', 1,
                to_timestamp(({cls.first_ms} + n) / 1000.0), to_timestamp(({cls.first_ms} + n) / 1000.0)
            FROM generate_series(0, {MANY - 1}) AS n""")

    def walk(self, **filters):
        """(ids, pages) of a whole list."""
        found, pages, token = [], 0, ""
        while True:
            reply = self.payments.ListPayments(ledger_id=self.ledger.id, page_size=1000, page_token=token, **filters)
            self.assertLessEqual(len(reply.payments), 1000)
            found += [one.payment_id for one in reply.payments]
            pages += 1
            token = reply.next_page_token
            if not token:
                return found, pages

    def recorded(self, where):
        return [row[0] for row in environment.sql(
            "payments", f"SELECT payment_id FROM payments WHERE ledger_id = '{self.ledger.id}' AND {where} ORDER BY 1 DESC")]

    def test_whole_lists(self):
        """What is rare is found though pages on the way are empty; what is nowhere ends too; what has an index is there at once."""
        all_of, half_of = MANY // LOOKS_MAX, MANY // 2 // LOOKS_MAX
        for filters, where, pages_least in (
                ({"state": p.PAYMENT_STATE_DECLINED}, "state = 7", all_of),
                ({"state": p.PAYMENT_STATE_CANCELED}, "false", all_of),
                ({"kind": p.PAYMENT_KIND_REFUND}, "false", all_of),
                ({"connector": "simulator"}, "connector = 'simulator'", all_of),
                ({"currency": "USD"}, "currency = 'USD'", all_of),
                ({"currency": "EUR", "amount_minor_min": MANY + 1}, "false", all_of),
                ({"currency": "USD", "amount_minor_max": 3}, "n < 3", all_of),
                ({"account_id": self.busy, "currency": "USD"}, f"account_id = '{self.busy}' AND currency = 'USD'", all_of),
                ({"caller": self.service, "state": p.PAYMENT_STATE_DECLINED}, f"caller = '{self.service}' AND state = 7", all_of),
                ({"reference": "order", "kind": p.PAYMENT_KIND_DEPOSIT}, "reference = 'order' AND kind = 1", half_of),
                ({"account_id": self.quiet}, f"account_id = '{self.quiet}'", 1),
                ({"account_id": new_id()}, "false", 1),
                ({"caller": self.user}, f"caller = '{self.user}'", 1),
                ({"caller": new_id()}, "false", 1),
                ({"reference": "rare"}, "reference = 'rare'", 1),
                ({"reference": "none"}, "false", 1),
                ({"account_id": self.busy, "reference": "rare"}, f"account_id = '{self.busy}' AND reference = 'rare'", 1)):
            with self.subTest(**filters):
                found, pages = self.walk(**filters)
                self.assertEqual(found, self.recorded(where.replace("n < 3", "amount_minor <= 3 AND currency = 'USD'")))
                self.assertIn(pages, (pages_least, pages_least + 1), "as many pages as the bound makes, and no more")

    def test_pages_meet(self):
        """Pages that were cut by the bound and pages that were full neither miss nor double."""
        found, _ = self.walk(reference="order", account_id=self.busy)
        self.assertEqual(found, self.recorded(f"reference = 'order' AND account_id = '{self.busy}'"))

    WAYS = {1: "payments_of_ledger", 2: "payments_of_account", 3: "payments_of_caller", 4: "payments_of_reference"}

    def rows_read(self, way, looks, **values):
        """{index: rows} that the statement reads of payments, by the database's own count."""
        queries = environment.ROOT / "services/payments/store/queries"
        text, settings = ((queries / name).read_text(encoding="utf-8") for name in ("read_payments.sql", "plan_by_index.sql"))
        filters = {"state": 11, "kind": None, "account": None, "caller": None, "connector": None, "reference": None, **values}
        words = ", ".join("NULL" if value is None else f"'{value}'" for value in filters.values())
        plan = environment.sql("payments", f"""
            PREPARE look (uuid, uuid, uuid, bigint, bigint, uuid, text, text, text, timestamptz, timestamptz, bigint, bigint,
                text, bigint, bigint, bigint) AS {text};
            {settings};
            EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE look ('{self.ledger.id}', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
                '00000000-0000-0000-0000-000000000000', {words}, '-infinity', 'infinity', 0, 9223372036854775807, NULL,
                101, {way}, {looks})""")
        read = {}

        def look(node):
            if node.get("Relation Name") == "payments":
                rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                index = node.get("Index Name", node["Node Type"])
                read[index] = read.get(index, 0) + rows * node["Actual Loops"]
            for child in node.get("Plans", []):
                look(child)
        look(json.loads(plan[-1][0])[0]["Plan"])
        return {index: rows for index, rows in read.items() if rows}

    def test_what_is_read(self):
        """By the way's own index and no further than is looked at, before the table was ever analyzed and after."""
        for when in ("before", "after"):
            for way, values, most in ((1, {}, LOOKS_MAX), (1, {"kind": 5}, LOOKS_MAX), (1, {"connector": "simulator"}, LOOKS_MAX),
                                      (2, {"account": self.busy}, LOOKS_MAX), (2, {"account": self.quiet}, 3),
                                      (3, {"caller": self.service}, LOOKS_MAX), (3, {"caller": self.user}, 2),
                                      (4, {"reference": "order"}, LOOKS_MAX), (4, {"reference": "rare"}, 4)):
                for looks in (101, LOOKS_MAX):
                    with self.subTest(when=when, way=way, looks=looks, **values):
                        self.assertEqual(self.rows_read(way, looks, **values), {self.WAYS[way]: min(looks, most)})
            environment.sql("payments", "ANALYZE payments")


if __name__ == "__main__":
    unittest.main()
