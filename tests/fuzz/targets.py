"""What is fuzzed: each with the inputs to begin with, and what it may answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from shared.envelope import decode as decode_envelope
from shared.envelope import encode
from shared.errors import ConfigError, PictureError, UndecodableMessage
from shared.events import EVENTS
from shared.picture.decode import decode, thumbnail
from shared.picture.format import check_complete
from shared.picture.header import read_header
from shared.settings import load
from tests.support import hostile
from tests.support.ftpdoor import ftp_door, session
from tests.support.making import analyzed, taken
from tests.support.pictures import jpeg, png, scene, with_orientation
from tests.support.system import ROOT

Try = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """``open`` yields what one input is given to; it raises what is no right answer. ``slow_s`` of
    processor for one input are a finding as well."""

    seeds: Sequence[bytes]
    words: Sequence[bytes]
    open: Callable[[Path], AbstractContextManager[Try]]
    slow_s: float = 1.0


@contextmanager
def _pictures(_folder: Path) -> Iterator[Try]:
    def look(data: bytes) -> None:
        for reader in (check_complete, read_header, thumb, _fitted):
            with suppress(PictureError):
                reader(data)

    def thumb(data: bytes) -> bytes:
        return thumbnail(data, 100)

    yield look


def _fitted(data: bytes) -> None:
    decoded = decode(data, fit=(64, 64))
    height, width, planes = decoded.pixels.shape
    assert planes == 3
    assert 0 < width <= decoded.width
    assert 0 < height <= decoded.height


@contextmanager
def _settings(folder: Path) -> Iterator[Try]:
    file = folder / "snapbus.yml"

    def read(data: bytes) -> None:
        file.write_bytes(data)
        try:
            load(file, environ={}, secrets=folder)
        except ConfigError as error:
            assert str(file) in str(error)

    yield read


@contextmanager
def _envelopes(_folder: Path) -> Iterator[Try]:
    def read(data: bytes) -> None:
        with suppress(UndecodableMessage):
            event = decode_envelope(data)
            encode(event)
            if kind := EVENTS.get(event.topic):
                with suppress(ValidationError):
                    event.parsed(kind)

    yield read


class _Loud(logging.Handler):
    """What a server did not expect, and told its log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@contextmanager
def _ftp(folder: Path) -> Iterator[Try]:
    loud = _Loud()
    logging.getLogger().addHandler(loud)
    with ftp_door(folder) as door:

        def say(data: bytes) -> None:
            # Guesses at a password are slowed down, which is for other tests.
            lines = [line for line in data.split(b"\n") if b"PASS" not in line.upper()]
            with suppress(ConnectionError), session(door.port) as raw:
                raw.socket.settimeout(0.1)
                raw.socket.sendall(b"\n".join(lines) + b"\r\n")
                with suppress(TimeoutError):
                    while raw.socket.recv(65536):
                        pass
            with session(door.port) as raw:
                assert raw.ask("NOOP").startswith("200")
            assert not loud.heard, loud.heard

        try:
            yield say
        finally:
            logging.getLogger().removeHandler(loud)


def _events() -> list[bytes]:
    event = taken(1)
    return [encode(event), encode(analyzed(event, "cat")), encode(analyzed(event))]


def _commands() -> list[bytes]:
    session = (
        "PWD|CWD /a/b|MKD x|EPSV|STOR a.jpg|ABOR|PASV|LIST|MLSD|NLST|RNFR a|RNTO b|DELE b|RMD x",
        "TYPE I|MODE S|STRU F|REST 0|APPE a.jpg|STOU|SIZE a.jpg|MDTM a.jpg|STAT|FEAT|HELP|SYST",
        "OPTS UTF8 ON|ALLO 99|PORT 127,0,0,1,200,1|EPRT |1|127.0.0.1|2000|ACCT x|PBSZ 0|PROT P",
        "CDUP|XCUP|XPWD|SITE HELP|SITE CHMOD 777 a|MFMT 2026 a|NOOP|RETR a|USER yard|REIN|QUIT",
    )
    return [lines.replace("|", "\r\n").encode() for lines in session]


TARGETS: dict[str, Target] = {
    "pictures": Target(
        seeds=(
            jpeg(scene(64, 48)),
            jpeg(scene(64, 48), progressive=True),
            jpeg(scene(64, 48), restart_marker_rows=1, subsampling=0),
            jpeg(scene(64, 48).convert("CMYK")),
            with_orientation(scene(40, 30), 6),
            png(scene(40, 30)),
            png(scene(40, 30).convert("P")),
            with_orientation(scene(40, 30), 8, "PNG"),
            hostile.scan_bomb(64, 5),
            hostile.component_bomb(64, 2),
            hostile.pixel_bomb(64, 64, depth=16, colour=6, woven=1),
            hostile.text_bomb(2),
        ),
        words=(
            *(
                bytes((0xFF, code))
                for code in (0xC0, 0xC2, 0xC4, 0xC9, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD)
            ),
            *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"eXIf", b"iCCP"),
            *(b"Exif\0\0", b"II*\0", b"MM\0*", b"Adobe", b"JFIF\0"),
        ),
        open=_pictures,
        slow_s=3.0,
    ),
    "settings": Target(
        seeds=[path.read_bytes() for path in sorted((ROOT / "config").glob("*.yml"))],
        words=(
            *(
                b": ",
                b"\n  - ",
                b"{",
                b"}",
                b"[",
                b"&a ",
                b"*a",
                b"<<: ",
                b"!!python/name:os",
                b"? ",
            ),
            *(b"'", b'"', b"|\n", b"null", b".inf", b"-1", b"1e999", b"0o7", b"\xff\xfe", b"\t"),
        ),
        open=_settings,
        slow_s=3.0,
    ),
    "envelopes": Target(
        seeds=_events(),
        words=(
            *(
                b"{",
                b"}",
                b"[",
                b"]",
                b":",
                b",",
                b'"',
                b"null",
                b"NaN",
                b"1e999",
                b"-0",
                b"9" * 400,
            ),
            *(b"\\u0000", b"\\ud800", b"\xff", b"9999-12-31T23:59:59-23:59", b'"data":', b'"id":'),
        ),
        open=_envelopes,
    ),
    "commands": Target(
        seeds=_commands(),
        words=(
            *(b"\r\n", b"\r", b"\n", b"\0", b"\xff\xf4\xff\xf2", b"../", b"/" * 300, b"a" * 3000),
            *(b"%s%n", b"\x1b[2J", b"\xe2\x80\xae", b"\xff", b" ", b"STOR ", b"EPSV", b"AUTH TLS"),
        ),
        open=_ftp,
    ),
}
