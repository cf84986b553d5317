"""A camera that misbehaves on demand, over real sockets: each fault is a path of its server."""

from __future__ import annotations

import gzip
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType

from tests.support.camera_pictures import PICTURE, jpeg, png

Wire = socket.socket
Fault = Callable[["FaultyCamera", Wire, str], None]


def head(status: str = "200 OK", *lines: str) -> bytes:
    """The header of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def answer(body: bytes, *lines: str, status: str = "200 OK", kind: str = "image/jpeg") -> bytes:
    """A whole answer with a right length."""
    lines = (f"Content-Type: {kind}", f"Content-Length: {len(body)}", *lines)
    return head(status, *lines) + body


def says(data: bytes) -> Fault:
    """A camera that always sends these bytes and hangs up."""
    return lambda camera, wire, request: wire.sendall(data)


def silent(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """Accepts, reads, says nothing."""
    camera.stop.wait(30)


def drip(camera: FaultyCamera, wire: Wire, request: str, data: bytes | None = None) -> None:
    """Sends a byte now and then, so that no pause is long."""
    for byte in data or answer(PICTURE):
        if camera.stop.wait(0.05):
            return
        wire.sendall(bytes([byte]))


def drip_body(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """The header at once, then a byte now and then."""
    wire.sendall(head("200 OK", "Content-Type: image/jpeg", f"Content-Length: {len(PICTURE)}"))
    drip(camera, wire, request, PICTURE)


def drip_a_while(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """As before, but giving up after four seconds."""
    wire.sendall(head("200 OK", "Content-Type: image/jpeg", "Content-Length: 80"))
    drip(camera, wire, request, PICTURE[:80])


def reset(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """Half a picture, then RST."""
    wire.sendall(answer(PICTURE)[: len(PICTURE) // 2])
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


def hang_up(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """Closes without a word."""


def endless(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """A picture that never ends, sent as fast as it is taken."""
    wire.sendall(head("200 OK", "Content-Type: image/jpeg") + PICTURE[:-2])
    with suppress(OSError):
        while not camera.stop.is_set():
            wire.sendall(b"\x55" * 65_536)
            camera.sent += 65_536


def stream(camera: FaultyCamera, wire: Wire, request: str) -> None:
    """MJPEG without lengths, with the boundary mark in the header as many vendors write it."""
    wire.sendall(head("200 OK", "Content-Type: multipart/x-mixed-replace; boundary=--frame"))
    for shade in range(10, 100):
        part = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg(shade) + b"\r\n"
        wire.sendall(part)
        if camera.stop.wait(0.02):
            return


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """An answer in chunked transfer coding."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head("200 OK", "Transfer-Encoding: chunked", "Content-Type: image/jpeg") + body + end


BOMB = gzip.compress(bytes(50_000_000))

FOSCAM_WRONG = b"<CGI_Result>\n    <result>-2</result>\n</CGI_Result>\n"
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>IP Camera &amp; Login</title></head></html>"
REOLINK = (
    b'[\n   {\n      "cmd" : "Snap",\n      "code" : 1,\n      "error" : {\n'
    b'         "detail" : "please login first",\n         "rspCode" : -6\n      }\n   }\n]\n'
)

FAULTS: dict[str, Fault] = {
    "/fine": says(answer(PICTURE)),
    "/silent": silent,
    "/drip": drip,
    "/drip-body": drip_body,
    "/drip-a-while": drip_a_while,
    "/401": says(answer(b"no", 'WWW-Authenticate: Basic realm="x"', status="401 Unauthorized")),
    "/401-digest": says(
        answer(b"", 'WWW-Authenticate: Digest realm="x", nonce="n1", qop="auth"', status="401 No")
    ),
    "/403": says(answer(b"no", status="403 Forbidden")),
    "/404": says(answer(b"no", status="404 Not Found")),
    "/503": says(answer(b"busy", status="503 Service Unavailable")),
    "/html": says(answer(LOGIN_PAGE, kind="text/html")),
    "/json": says(answer(REOLINK, kind="text/html")),
    "/xml": says(answer(FOSCAM_WRONG, kind="text/xml")),
    "/empty": says(answer(b"")),
    "/text": says(answer(PICTURE, kind="text/plain")),
    "/short": says(answer(PICTURE[:-200])),
    "/long-length": says(
        head("200 OK", f"Content-Length: {len(PICTURE) + 500}") + PICTURE[: len(PICTURE) // 2]
    ),
    "/no-length": says(head("200 OK", "Content-Type: image/jpeg") + PICTURE),
    "/garbage": says(answer(PICTURE + b"\x00\r\nGARBAGE" * 99)),
    "/chunked": says(chunked(PICTURE[:100], PICTURE[100:])),
    "/chunk-error": says(chunked(PICTURE[:100], end=b"zz\r\nnonsense")),
    "/elsewhere": says(head("302 Found", "Location: http://192.0.2.1/picture.jpg")),
    "/file": says(head("302 Found", "Location: file:///etc/passwd")),
    "/here": says(head("302 Found", "Location: /fine", "Content-Length: 0")),
    "/circle": says(head("302 Found", "Location: /circle", "Content-Length: 0")),
    "/nowhere": says(head("302 Found", "Content-Length: 0")),
    "/bomb": says(answer(BOMB, "Content-Encoding: gzip")),
    "/reset": reset,
    "/hang-up": hang_up,
    "/endless": endless,
    "/stream": stream,
    "/no-http": says(b"220 ready for FTP\r\n"),
    "/png": says(answer(png(), kind="image/png")),
}


class FaultyCamera:
    """Serves ``FAULTS`` (and ``faults`` over them) on a free port; ``requests`` are the headers
    it got, ``sent`` what an endless answer got rid of."""

    def __init__(self, faults: dict[str, Fault] | None = None, tls: ssl.SSLContext | None = None):
        self.faults = {**FAULTS, **(faults or {})}
        self.stop = threading.Event()
        self.requests: list[str] = []
        self.open = 0
        self.most_open = 0
        self.sent = 0
        self._lock = threading.Lock()
        camera = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    wire = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    with wire:
                        camera._serve(wire)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.split(" ")[1] for request in self.requests]

    def __enter__(self) -> FaultyCamera:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, wire: Wire) -> None:
        request = self._read(wire)
        if not request:
            return
        with self._lock:
            self.requests.append(request)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            path = request.split(" ")[1].partition("?")[0]
            self.faults[path](self, wire, request)
        finally:
            with self._lock:
                self.open -= 1

    def _read(self, wire: Wire) -> str:
        wire.settimeout(30)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = wire.recv(4096)
            if not piece:
                return ""
            data += piece
        return data.decode("latin-1")


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes no connection and refuses none: the queue of its listener is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield int(listener.getsockname()[1])
