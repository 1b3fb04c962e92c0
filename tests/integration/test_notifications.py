"""Connectors' notifications: signed, each applied once, and never believed."""

import time
import unittest

import grpc

from support import environment
from support.cases import Case, having
from support.client import Stub
from support.contracts import connector as c
from support.notifications import about, key, notify, signed
from support.replicas import Replica
from support.world import new_id


def operation(reference=None, status=c.OPERATION_STATUS_SUCCEEDED):
    return c.Operation(reference=reference or new_id(), kind=c.OPERATION_KIND_CHARGE, amount_minor=1, currency="EUR",
                       status=status)


def kept(notification_id):
    return environment.sql("payments", "SELECT reference, status FROM notifications "
                           f"WHERE notification_id = '{notification_id}'")


class Notifications(Case):
    def setUp(self):
        self.connector = Stub("payments", "connector")

    def unauthenticated(self, reason):
        return self.refused(grpc.StatusCode.UNAUTHENTICATED, reason)

    def test_forged(self):
        good = signed(about(operation(), new_id()))
        changes = {
            "another key": signed(good.notification, b"k" * 48),
            "no key": signed(good.notification, b"\0"),
            "another time": having(signed_time_s=good.signed_time_s - 1),
            "another body": having(notification=about(operation(), new_id()).SerializeToString()),
            "a bit of the body": having(notification=good.notification[:-1] + bytes([good.notification[-1] ^ 1])),
            "a bit of the signature": having(signature=good.signature[:-1] + bytes([good.signature[-1] ^ 1])),
            "half a signature": having(signature=good.signature[:16]),
            "more than a signature": having(signature=good.signature + b"\0"),
            "no signature": having(signature=b""),
        }
        with self.nothing_written("payments", but=()):
            for what, change in changes.items():
                request = c.NotifyRequest()
                request.CopyFrom(good)
                if callable(change):
                    change(request)
                else:
                    request = change
                with self.subTest(what=what), self.unauthenticated("SIGNATURE_INVALID"):
                    self.connector.call("Notify", request)
        self.connector.call("Notify", good)

    def test_stale_or_early(self):
        now = int(time.time())
        with self.nothing_written("payments", but=()):
            for time_s in (now - 310, now + 310, 0, -1, -2 ** 63, 2 ** 63 - 1):
                with self.subTest(time_s=time_s), self.unauthenticated("SIGNATURE_STALE"):
                    self.connector.call("Notify", signed(about(operation(), new_id()), time_s=time_s))
        for time_s in (now - 250, now + 250):
            notify(about(operation(), new_id()), time_s=time_s)

    def test_key_of_the_exchange_is_valid_too(self):
        other = environment.HOME / "secrets" / "notification-other.key"
        self.addCleanup(other.unlink)
        other.write_bytes(b"n" * 40)
        with Replica("payments", NOTIFICATION_OTHER_KEY_FILE=other) as second:
            for with_key in (b"n" * 40, key()):
                notify(about(operation(), new_id()), second.stub("connector"), with_key=with_key)
            with self.unauthenticated("SIGNATURE_INVALID"):
                notify(about(operation(), new_id()), second.stub("connector"), with_key=b"n" * 41)
        with self.unauthenticated("SIGNATURE_INVALID"):
            notify(about(operation(), new_id()), with_key=b"n" * 40)

    def test_bad_input(self):
        good = about(operation(), "n")
        rows = [
            (having(notification_id=""), "INVALID_LENGTH", "notification_id"),
            (having(notification_id="n" * 65), "INVALID_LENGTH", "notification_id"),
            (having(notification_id="ü"), "INVALID_TEXT", "notification_id"),
            (having(operation__reference=""), "INVALID_LENGTH", "operation.reference"),
            (lambda message: message.ClearField("operation"), "INVALID_FIELD", "operation"),
        ]
        with self.nothing_written("payments", but=()):
            for change, reason, field in rows:
                message = c.Notification()
                message.CopyFrom(good)
                change(message)
                with self.subTest(reason=reason, field=field), self.invalid(reason, field):
                    notify(message)
            with self.invalid("MALFORMED_MESSAGE"):
                notify(b"\x0a\xff")
            with self.invalid("INVALID_FIELD", "notification"):
                self.connector.Notify()

    def test_for_nothing_known_is_kept(self):
        notification_id, reference = new_id(), new_id()
        notify(about(operation(reference), notification_id))
        self.assertEqual(kept(notification_id), [[reference, "2"]])

    def test_once_each(self):
        """Repeated, signed anew, it is no news; another one with its id is refused, and changes nothing."""
        notification_id, reference = new_id(), new_id()
        one = about(operation(reference), notification_id)
        for time_s in (None, int(time.time()) - 7):
            notify(one, time_s=time_s)
        with self.nothing_written("payments", but=()), self.mismatch():
            notify(about(operation(reference, c.OPERATION_STATUS_DECLINED), notification_id))
        self.assertEqual(kept(notification_id), [[reference, "2"]])

    def test_archiving(self):
        """What the page for operators says removes what is old and known, and what was removed may come again."""
        text = (environment.ROOT / "docs" / "operating-payments.md").read_text(encoding="utf-8")
        statement = text.split("## Archiving", 1)[1].split("```sql\n", 1)[1].split("```", 1)[0]
        old, new, unknown = (about(operation(status=status), new_id()) for status in
                             (c.OPERATION_STATUS_SUCCEEDED, c.OPERATION_STATUS_CANCELED, 77))
        for one in (old, new, unknown):
            notify(one)
        environment.sql("payments", "UPDATE notifications SET create_time = now() - interval '14 months' WHERE "
                        f"notification_id IN ('{old.notification_id}', '{unknown.notification_id}')")
        environment.sql("payments", statement)
        self.assertEqual([len(kept(one.notification_id)) for one in (old, new, unknown)], [0, 1, 1])
        notify(old)
        self.assertEqual(len(kept(old.notification_id)), 1)
        for right in ("UPDATE", "DELETE", "TRUNCATE"):
            self.assertEqual(environment.sql_value(
                "payments", f"SELECT has_table_privilege('payments_service', 'notifications', '{right}')"), "f")

    def test_unknown_status_is_kept_and_not_guessed_at(self):
        for number in (0, 77, 2 ** 31 - 1, -2 ** 31):
            notification_id, reference = new_id(), new_id()
            notify(about(operation(reference, number), notification_id))
            self.assertEqual(kept(notification_id), [[reference, str(number)]])


if __name__ == "__main__":
    unittest.main()
