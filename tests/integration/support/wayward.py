"""A connector whose books are true and whose single answers a test chooses: what it says of what it did may be anything."""

import collections
import concurrent.futures
import threading

import grpc

from . import environment
from .client import certificates
from .contracts import CONTRACTS
from .contracts import connector as c
from .replica import free_port

SERVICE = "daler.connector.v1.ConnectorService"
METHODS = {method.name: method for method in CONTRACTS.service(SERVICE).methods}
KINDS = {"Authorize": c.OPERATION_KIND_CHARGE, "Payout": c.OPERATION_KIND_PAYOUT, "Refund": c.OPERATION_KIND_REFUND}
# What an operation becomes by a call.
BECOMES = {name: c.OPERATION_STATUS_SUCCEEDED for name in (*KINDS, "Capture")} | {"Cancel": c.OPERATION_STATUS_CANCELED}


class Error(Exception):
    """An answer that is no reply: a code and, where it is given, a reason of the contract."""

    def __init__(self, code, reason=None):
        super().__init__(code, reason)
        self.code, self.reason = code, reason

    def end(self, context):
        if self.reason is not None:
            status = CONTRACTS.message("google.rpc.Status")(code=self.code.value[0])
            info = CONTRACTS.message("google.rpc.ErrorInfo")(reason=self.reason, domain="daler")
            status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString())
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, "as the test wants it")


class Script:
    """What is told, by instrument: the first `times` calls of `method` are answered with `answer`, a function that is given
    the operation (None: it has none) and returns bytes or raises Error. `does`: they are carried out all the same. `begins`:
    the status of a charge that was not captured at once. `loses`: submissions are carried out, or not, and not answered."""

    def __init__(self, method=None, answer=None, does=True, begins=None, loses=False, times=1):
        self.method, self.answer, self.does, self.times = method, answer, does, times
        self.begins, self.loses = begins, loses


class Wayward(grpc.GenericRpcHandler):
    """Runs while its block does."""

    def __init__(self):
        self.address = f"127.0.0.1:{free_port()}"
        self.scripts = collections.defaultdict(Script)
        self.books = {}                       # by reference
        self.effects = collections.Counter()  # by reference: how often money moved
        self.calls = collections.Counter()    # by reference and method
        self._instruments = {}
        self._lock = threading.Lock()

    def __enter__(self):
        ca, chain, key = certificates("connector")
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((self,))
        self._server.add_secure_port(self.address, grpc.ssl_server_credentials(((key, chain),), ca, True))
        self._server.start()
        environment.wait_until(lambda: environment.listens(self.address), 30, "the connector listens")
        return self

    def __exit__(self, *_):
        self._server.stop(None).wait()

    def service(self, details):
        name = details.method.rsplit("/", 1)[-1]
        if details.method != f"/{SERVICE}/{name}" or name not in (*BECOMES, "GetOperation"):
            return None  # it does not say what it can do: nothing is refused for that
        request = CONTRACTS.message(METHODS[name].input_type.full_name)
        return grpc.unary_unary_rpc_method_handler(
            lambda asked, context: self._answer(name, asked, context), request_deserializer=request.FromString,
            response_serializer=bytes)

    def _answer(self, name, asked, context):
        try:
            with self._lock:
                return self._carry_out(name, asked)
        except Error as error:
            return error.end(context)

    def _carry_out(self, name, asked):
        if name in KINDS:
            self._instruments[asked.reference] = asked.instrument
        script = self.scripts[self._instruments.get(asked.reference, "")]
        self.calls[asked.reference, name] += 1
        scripted = name == script.method and self.calls[asked.reference, name] <= script.times
        lost = script.loses and name in KINDS and self.calls[asked.reference, name] == 1
        if script.does or not (scripted or lost):
            self._do(name, asked, script)
        operation = self.books.get(asked.reference)
        if lost:
            raise Error(grpc.StatusCode.DEADLINE_EXCEEDED)
        if scripted:
            return script.answer(operation)
        if operation is None:
            raise Error(grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND")
        return reply(operation)

    def _do(self, name, asked, script):
        operation = self.books.get(asked.reference)
        before = None if operation is None else operation.status
        if name in KINDS and operation is None:
            operation = self.books[asked.reference] = c.Operation(
                reference=asked.reference, kind=KINDS[name], amount_minor=asked.amount_minor, currency=asked.currency,
                status=script.begins if name == "Authorize" and script.begins else BECOMES[name],
                original_reference=asked.original_reference if name == "Refund" else "")
        elif name in ("Capture", "Cancel") and operation is not None and operation.status == script.begins:
            operation.status = BECOMES[name]
        if operation is not None and before != operation.status == c.OPERATION_STATUS_SUCCEEDED:
            self.effects[asked.reference] += 1


def reply(operation):
    """Every method that is about one operation answers with it in the same field."""
    return c.GetOperationResponse(operation=operation).SerializeToString()
