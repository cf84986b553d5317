"""A simulated camera with a stream: RTSP with Digest or Basic, H.264 over the same connection.

What it shows is encoded beforehand, a few pictures that come again and again; so it needs no
encoder.
"""

from __future__ import annotations

import base64
import re
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Request
from services.simulator.login import DigestGuard, basic_ok
from shared.errors import ConfigError

STREAM = Path(__file__).parent / "stream.h264"
FRAME_S = 0.2
FRAME_TICKS = 18_000
PAYLOAD = 1_400
PAYLOAD_TYPE = 96
KEY, SPS, PPS = 5, 7, 8
"""Kinds of units of H.264: a whole picture, and what must be known before it."""
_START = re.compile(rb"\x00\x00\x00?\x01")


class RtspCamera:
    """Serves one stream at ``path`` until stopped; ``port`` 0 takes a free one, told by ``port``.
    ``redirect`` sends whoever asks elsewhere. ``asked`` are the requests it got, ``open`` the
    connections it has."""

    name = "simulated-rtsp"

    def __init__(
        self,
        host: str,
        port: int,
        account: Account,
        *,
        stream: bytes = b"",
        path: str = "/stream1",
        basic: bool = False,
        mood: Mood = "fine",
        redirect: str = "",
    ) -> None:
        self._host = host
        self.port = port
        self.account = account
        self.pictures = _pictures(stream or STREAM.read_bytes())
        self.path = path
        self.basic = basic
        self.mood = mood
        self.redirect = redirect
        self.digest = DigestGuard(account, realm="RTSP")
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.asked = 0
        self.open = 0

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set. Raises ConfigError when the port can't be had."""
        self.stop = stop
        try:
            server = _Server((self._host, self.port), self)
        except OSError as error:
            raise ConfigError(
                f"simulator: {self._host}:{self.port} can't be used: {error.strerror}."
                " Set another simulator.rtsp_port."
            ) from None
        with server:
            server.timeout = 0.2
            self.port = int(server.server_address[1])
            while not stop.is_set():
                server.handle_request()

    def sdp(self) -> bytes:
        """The description of the stream."""
        first = self.pictures[0]
        sps, pps = (next(each for each in first if _kind(each) == kind) for kind in (SPS, PPS))
        sets = ",".join(base64.b64encode(unit).decode() for unit in (sps, pps))
        lines = (
            "v=0",
            "o=- 1 1 IN IP4 0.0.0.0",
            "s=Simulated camera",
            "t=0 0",
            "a=control:*",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            "c=IN IP4 0.0.0.0",
            f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={sps[1:4].hex()};"
            f"sprop-parameter-sets={sets}",
            "a=control:trackID=1",
        )
        return "".join(f"{line}\r\n" for line in lines).encode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], camera: RtspCamera) -> None:
        self.camera = camera
        super().__init__(address, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 30

    def handle(self) -> None:
        camera = self.server.camera
        with camera.lock:
            camera.open += 1
        with suppress(OSError, ValueError):
            while request := self._read():
                camera.asked += 1
                if not self._answer(request):
                    break
        with camera.lock:
            camera.open -= 1

    def _read(self) -> Request | None:
        line = self.rfile.readline(4096).decode("utf-8", "replace").split()
        if len(line) != 3:
            return None
        headers = {}
        while (text := self.rfile.readline(4096).decode("utf-8", "replace").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.rfile.read(min(int(headers.get("content-length", "0")), 4096))
        return Request(line[0], line[1], urlsplit(line[1]).path, {}, headers, body)

    def _answer(self, request: Request) -> bool:
        """Returns whether to go on."""
        camera = self.server.camera
        if camera.mood in ("silent", "closed"):
            camera.stop.wait(30 if camera.mood == "silent" else 0)
            return False
        if request.method == "OPTIONS":
            self._say(request, "200 OK", {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"})
        elif camera.redirect:
            self._say(request, "302 Moved", {"Location": camera.redirect})
        elif challenge := self._challenge(request):
            self._say(request, "401 Unauthorized", {"WWW-Authenticate": challenge})
        elif not request.path.startswith(camera.path):
            self._say(request, "404 Not Found", {})
        elif request.method == "DESCRIBE":
            where = {"Content-Type": "application/sdp", "Content-Base": f"{request.uri}/"}
            self._say(request, "200 OK", where, camera.sdp())
        elif request.method == "SETUP":
            self._set_up(request)
        elif request.method == "PLAY":
            self._say(request, "200 OK", {"Session": "1", "RTP-Info": f"url={request.uri}"})
            self._play()
            return False
        else:
            self._say(request, "200 OK", {"Session": "1"})
            return request.method != "TEARDOWN"
        return True

    def _challenge(self, request: Request) -> str:
        camera = self.server.camera
        with camera.lock:
            if not camera.basic:
                return camera.digest.refusal(request)
        return "" if basic_ok(request.authorization, camera.account) else 'Basic realm="RTSP"'

    def _set_up(self, request: Request) -> None:
        transport = request.headers.get("transport", "")
        if "RTP/AVP/TCP" not in transport:
            self._say(request, "461 Unsupported Transport", {})
            return
        chosen = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Session": "1;timeout=60"}
        self._say(request, "200 OK", chosen)

    def _say(
        self, request: Request, status: str, headers: Mapping[str, str], body: bytes = b""
    ) -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {request.headers.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)

    def _play(self) -> None:
        """Send the pictures again and again, until the viewer leaves or says something."""
        camera, number = self.server.camera, 0
        for tick in range(1 << 20):
            units = camera.pictures[tick % len(camera.pictures)]
            if camera.mood == "half":  # it talks, but never shows anything
                units = [each for each in units if _kind(each) != KEY]
            packets = [packet for unit in units for packet in _packets(unit)]
            for place, packet in enumerate(packets, 1):
                number += 1
                kind = PAYLOAD_TYPE | (0x80 if place == len(packets) else 0)  # the mark of the last
                time = tick * FRAME_TICKS & 0xFFFFFFFF
                head = struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, time, 1)
                size = struct.pack("!H", len(head) + len(packet))
                self.wfile.write(b"$\x00" + size + head + packet)
            if camera.stop.wait(FRAME_S) or _speaks(self.connection):
                return


def _pictures(stream: bytes) -> list[list[bytes]]:
    """The units of each picture; the first of each is a parameter set."""
    pictures: list[list[bytes]] = []
    for unit in filter(None, _START.split(stream)):
        if _kind(unit) == SPS:
            pictures.append([])
        pictures[-1].append(unit)
    return pictures


def _kind(unit: bytes) -> int:
    return unit[0] & 31


def _speaks(wire: socket.socket) -> bool:
    return bool(select.select([wire], [], [], 0)[0])


def _packets(unit: bytes) -> list[bytes]:
    """One NAL unit as payloads of RTP: whole, or in fragments (FU-A)."""
    if len(unit) <= PAYLOAD:
        return [unit]
    kind, body = _kind(unit), unit[1:]
    pieces = [body[start : start + PAYLOAD] for start in range(0, len(body), PAYLOAD)]
    marks = [0x80, *([0] * (len(pieces) - 2)), 0x40]
    indicator = (unit[0] & 0xE0) | 28
    return [
        bytes([indicator, mark | kind]) + piece for mark, piece in zip(marks, pieces, strict=True)
    ]
