"""Calls through python3-grpcio: any identity, any token, errors taken apart."""

import functools
import os
import pathlib
import threading

# While calls fail at once nobody but gRPC's backup poller moves a new connection's handshake on; its default of 5 s is
# longer than a reconnection may take.
os.environ.setdefault("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50")

import grpc

from .contracts import CONTRACTS

PATIENCE = float(os.environ.get("DALER_TEST_PATIENCE", "1"))  # more for sanitizer builds and slow machines
TIMEOUT_S = 20 * PATIENCE

SERVICES = {
    "auth": ["daler.auth.v1.AuthService"],
    "accounts": ["daler.accounts.v1.AccountsService"],
    "payments": ["daler.payments.v1.PaymentsService", "daler.payments.v1.LimitsService",
                 "daler.payments.v1.OperationsService",
                 "daler.connector.v1.NotificationService"],
    "connector": ["daler.connector.v1.ConnectorService"],
}
IDENTITIES = ("auth", "accounts", "payments", "connector", "gateway", "operator", "monitor")

CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 5000),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.use_local_subchannel_pool", 1),
)


class Refused(Exception):
    """A call that did not end with OK."""

    def __init__(self, method, error):
        self.code = error.code()
        self.message = error.details() or ""
        self.trailers = {key: value for key, value in (error.trailing_metadata() or ())}
        self.details = _details(self.trailers.get("grpc-status-details-bin"))
        info = self.details.get("google.rpc.ErrorInfo")
        retry = self.details.get("google.rpc.RetryInfo")
        bad = self.details.get("google.rpc.BadRequest")
        self.reason = info.reason if info is not None else ""
        self.domain = info.domain if info is not None else ""
        self.fields = [violation.field for violation in bad.field_violations] if bad is not None else []
        self.retry_s = None
        if retry is not None:
            self.retry_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
        super().__init__(f"{method}: {self.code.name} {self.reason} {self.fields} {self.message}")


def _details(data):
    """Detail messages of a status by their full name."""
    if data is None:
        return {}
    status = CONTRACTS.message("google.rpc.Status").FromString(data)
    result = {}
    for item in status.details:
        name = item.type_url.rsplit("/", 1)[-1]
        result[name] = CONTRACTS.message(name).FromString(item.value)
    return result


def certificates(identity):
    """(CA, chain, key) of an identity of the environment."""
    folder = pathlib.Path(os.environ["DALER_CERT_DIR"]) / identity
    return tuple((folder / name).read_bytes() for name in ("ca.crt", "tls.crt", "tls.key"))


def credentials(identity):
    ca, chain, key = certificates(identity)
    return grpc.ssl_channel_credentials(ca, key, chain)


def address(target):
    return os.environ[f"DALER_{target.upper()}_ADDR"]


_channels = {}
_channels_lock = threading.Lock()


def channel(target, identity):
    """One channel for each target and identity."""
    with _channels_lock:
        key = (address(target), identity)
        if key not in _channels:
            _channels[key] = grpc.secure_channel(key[0], credentials(identity), options=CHANNEL_OPTIONS)
        return _channels[key]


def renew(target):
    """The next calls to a target use new connections: its process is another one."""
    with _channels_lock:
        for key in [key for key in _channels if key[0] == address(target)]:
            del _channels[key]


@functools.lru_cache(maxsize=None)
def find_method(target, name):
    """(full path, request class, reply class) of a target's method by its short name."""
    for service_name in SERVICES[target]:
        for method in CONTRACTS.service(service_name).methods:
            if method.name == name:
                return (
                    f"/{service_name}/{name}",
                    CONTRACTS.message(method.input_type.full_name),
                    CONTRACTS.message(method.output_type.full_name),
                )
    raise AttributeError(f"{target} has no method {name}")


def all_methods():
    """(target, name) of every method of our contracts."""
    for target, services in SERVICES.items():
        for service_name in services:
            for method in CONTRACTS.service(service_name).methods:
                yield target, method.name


def metadata_of(token, more=()):
    return ((("authorization", f"Bearer {token}"),) if token is not None else ()) + tuple(more)


class Stub:
    """A target's methods as one caller: Stub("accounts", "operator", token).GetLedger(ledger_id=...)."""

    def __init__(self, target, identity="operator", token=None, through=None):
        self.target = target
        self.identity = identity
        self.token = token
        self._through = through

    def __getattr__(self, name):
        find_method(self.target, name)
        return functools.partial(self.call, name)

    def channel(self):
        return self._through if self._through is not None else channel(self.target, self.identity)

    def call(self, name, request=None, /, *, timeout=TIMEOUT_S, metadata=(), **fields):
        path, request_class, reply_class = find_method(self.target, name)
        if request is None:
            request = request_class(**fields)
        return self.raw(path, request.SerializeToString(), reply_class.FromString, timeout=timeout,
                        metadata=metadata)

    def stream(self, name, requests, /, *, timeout=TIMEOUT_S):
        """Replies of a method that streams: `requests` is one, or an iterable of them."""
        path, request_class, reply_class = find_method(self.target, name)
        single = isinstance(requests, request_class)
        make = self.channel().unary_stream if single else self.channel().stream_stream
        call = make(path, request_serializer=lambda request: request.SerializeToString(),
                    response_deserializer=reply_class.FromString)
        try:
            yield from call(requests, timeout=timeout, metadata=metadata_of(self.token))
        except grpc.RpcError as error:
            raise Refused(path, error) from None

    def raw(self, path, data, deserialize=bytes, *, timeout=TIMEOUT_S, metadata=()):
        """Sends any bytes to any path."""
        call = self.channel().unary_unary(path, request_serializer=bytes, response_deserializer=deserialize)
        try:
            return call(data, timeout=timeout, metadata=metadata_of(self.token, metadata))
        except grpc.RpcError as error:
            raise Refused(path, error) from None
