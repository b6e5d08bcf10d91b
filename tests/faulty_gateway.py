"""A proxy in front of an S3 server that spoils some of its answers: what networks and overloaded stores really do."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

_CONDITIONS: Final = ("If-Match", "If-None-Match")
_SLOW_S: Final = 0.5


class Fault(StrEnum):
    """What becomes of every so many-th request that it can befall."""

    INTERNAL_ERROR = "answered 500, and not done"
    SLOW_DOWN = "answered 503, and not done"
    CONFLICT = "a conditional write answered 409, and not done"
    LOST_REPLY = "a conditional write done, its answer lost"
    CUT = "an answer cut in mid-body"
    SLOW = "answered half a second late"

    def befalls(self, request: BaseHTTPRequestHandler) -> bool:
        """Conflicts and lost replies are about conditional writes, cuts about bodies; the rest befalls anything."""
        if self in {Fault.CONFLICT, Fault.LOST_REPLY}:
            return request.command == "PUT" and any(name in request.headers for name in _CONDITIONS)
        return request.command == "GET" if self is Fault.CUT else True


_CODES: Final = {
    Fault.INTERNAL_ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.CONFLICT: (409, "ConditionalRequestConflict"),
}


class Proxy(ThreadingHTTPServer):
    """Forwards to `target`; `spoiled` counts the answers that were not as they should be."""

    daemon_threads = True

    def __init__(self, target: str, fault: Fault, *, every: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.fault, self.every = fault, every
        self.spoiled = 0
        self._seen = 0
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spoils(self, request: BaseHTTPRequestHandler) -> bool:
        if not self.fault.befalls(request):
            return False
        with self._lock:
            self._seen += 1
            due = self._seen % self.every == 0
            self.spoiled += due
        return due

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or a connection that was cut on purpose, is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        spoiled = self.server.spoils(self)
        fault = self.server.fault
        if spoiled and fault in _CODES:
            self._refuse(*_CODES[fault])
            return
        if spoiled and fault is Fault.SLOW:
            time.sleep(_SLOW_S)
        upstream = http.client.HTTPConnection(self.server.target)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            upstream.request(self.command, self.path, body=body, headers=headers)
            reply = upstream.getresponse()
            data = reply.read()
        finally:
            upstream.close()
        if spoiled and fault is Fault.LOST_REPLY:
            self._hang_up()
            return
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        length = reply.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if spoiled and fault is Fault.CUT:
            self.wfile.write(data[: len(data) // 2])
            self._hang_up()
            return
        self.wfile.write(data)

    def _refuse(self, status: int, code: str) -> None:
        data = (
            b"" if self.command == "HEAD" else f"<Error><Code>{code}</Code><Message>spoiled</Message></Error>".encode()
        )
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _forward  # noqa: N815 - the standard library's names


@contextmanager
def faulty_gateway(target: str, fault: Fault, *, every: int) -> Iterator[Proxy]:
    """A proxy before the server at `target`, ended with the block."""
    proxy = Proxy(target, fault, every=every)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
