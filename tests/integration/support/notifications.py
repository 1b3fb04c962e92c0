"""Notifications as a connector signs them."""

import hashlib
import hmac
import time

from . import environment
from .client import Stub
from .contracts import connector as c


def key():
    return (environment.HOME / "secrets" / "notification.key").read_bytes().strip()


def signature(with_key, time_s, data):
    return hmac.new(with_key, b"%d." % time_s + data, hashlib.sha256).digest()


def signed(notification, with_key=None, time_s=None):
    """The request that carries a Notification, or bytes."""
    data = notification if isinstance(notification, bytes) else notification.SerializeToString()
    time_s = int(time.time()) if time_s is None else time_s
    return c.NotifyRequest(notification=data, signed_time_s=time_s, signature=signature(with_key or key(), time_s, data))


def about(operation, notification_id):
    return c.Notification(notification_id=notification_id, operation=operation)


def notify(notification, stub=None, **more):
    return (stub or Stub("payments", "connector")).call("Notify", signed(notification, **more))
