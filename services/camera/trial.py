"""``try``: asks one camera for one picture, as the service would, and says in words how it went.

    python -m services.camera try porch
    python -m services.camera try reolink 192.168.1.20 --username admin

The password is asked for, or read from the standard input; in a command others could see it.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from services.camera.advice import advice
from services.camera.brands import adapter_for
from services.camera.brands.url import address
from services.camera.facts import Facts
from services.camera.failures import CameraError, Untrusted, as_camera_error
from services.camera.still import one_picture
from services.camera.words import clock_words, login_words, picture_words
from shared.errors import ConfigError
from shared.events import now
from shared.http.certificate import fingerprint
from shared.http.deadline import Deadline
from shared.http.errors import HttpError
from shared.settings.fetch import KINDS, FetchSection
from shared.settings.load import chosen, load

FINE, NO_PICTURE, WRONG_USE = 0, 1, 2
_PORTS = {"http": 80, "https": 443, "rtsp": 554}
_DEFAULTS = {"foscam": ("http", 88), "vigi": ("https", 8443)}


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        name, fetch = _chosen(options)
    except (ConfigError, ValueError) as error:
        sys.stderr.write(f"{_words(error)}\n")
        return WRONG_USE
    status = FINE
    for line in _tried(name, fetch, options.save):
        sys.stdout.write(f"{line}\n")
        status = NO_PICTURE if line.startswith("no picture") else status
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="camera:try", description=__doc__.split("\n")[0])
    parser.add_argument("camera", help=f"a camera of the configuration, or: {', '.join(KINDS)}")
    parser.add_argument("host", nargs="?", help="with a kind: host, host:port, URL or path")
    parser.add_argument("--username", default="", help="its password is asked for")
    parser.add_argument("--channel", type=int)
    parser.add_argument("--stream", choices=("main", "sub"))
    parser.add_argument("--resolution")
    parser.add_argument("--id", help="kind unifi: of the camera in Protect")
    parser.add_argument("--fingerprint", help="SHA-256 of its certificate")
    parser.add_argument("--any-certificate", action="store_true")
    parser.add_argument("--timeout", type=float, dest="timeout_s", help="seconds")
    parser.add_argument("--save", type=Path, help="write the picture into this file")
    parser.add_argument("--config", type=Path, help="default: config/snapbus.yml")
    return parser


def _chosen(options: argparse.Namespace) -> tuple[str, FetchSection]:
    """The camera's name and section. Raises ConfigError or ValueError."""
    if options.host:
        return f"{options.camera} {options.host}", _section(options)
    cameras = load(chosen(options.config)).cameras
    camera = cameras.get(options.camera)
    if camera is None:
        names = ", ".join(sorted(cameras)) or "none yet"
        raise ConfigError(f"no camera is called {options.camera!r}; there are: {names}")
    if camera.fetch is None:
        how = " and ".join(camera.doors) or "no door"
        raise ConfigError(f"{options.camera} can't be asked for a picture: it has {how}")
    return options.camera, camera.fetch


def _section(options: argparse.Namespace) -> FetchSection:
    names = ("username", "channel", "stream", "resolution", "id", "fingerprint", "timeout_s")
    given = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options.camera in ("v4l2", "file"):
        given["path"] = options.host
    else:
        given["url" if "://" in options.host else "host"] = options.host
    if options.any_certificate:
        given["verify_tls"] = False
    if options.username or options.id:
        given["password"] = _password()
    return FetchSection.model_validate({"kind": options.camera, **given})


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("its password: ")
    return sys.stdin.readline().rstrip("\r\n")


def _words(error: Exception) -> str:
    """What is wrong with the arguments, without what they were."""
    if isinstance(error, ValidationError):
        said = (each["msg"].removeprefix("Value error, ") for each in error.errors())
        return "; ".join(said)
    return str(error)


def _tried(name: str, fetch: FetchSection, save: Path | None) -> Iterator[str]:
    """The lines of the report; the last one is the result."""
    adapter = adapter_for(fetch)
    try:
        with Deadline(fetch.timeout_s) as deadline, as_camera_error():
            yield from _reached(fetch, deadline)
            began = time.monotonic()
            with adapter.open(deadline) as still:
                ahead_s = (still.clock - now()).total_seconds() if still.clock else None
                picture = b"".join(one_picture(still.chunks))
            seconds = time.monotonic() - began
    except CameraError as error:
        yield f"no picture  {error}"
        yield from _to_change(error, fetch)
        return
    finally:
        adapter.close()
    facts = Facts(still.login, len(picture), seconds, ahead_s)
    yield f"login       {login_words(facts)}"
    yield f"picture     {picture_words(facts, picture)}"
    yield f"clock       {clock_words(facts)}"
    if save:
        save.write_bytes(picture)
    yield f"fine        {name} gives pictures"


def _reached(fetch: FetchSection, deadline: Deadline) -> Iterator[str]:
    place = _place(fetch)
    if place is None:
        return
    began = time.monotonic()
    deadline.connect(*place).close()
    spent = (time.monotonic() - began) * 1000
    yield f"reached     {place[0]}, port {place[1]}, in {spent:.0f} ms"


def _place(fetch: FetchSection) -> tuple[str, int] | None:
    """The host and port that are asked first."""
    if not fetch.host and not fetch.url:
        return None
    scheme, port = _DEFAULTS.get(fetch.kind, ("https" if fetch.id else "http", 0))
    parts = urlsplit(address(fetch, scheme, port))
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _to_change(error: CameraError, fetch: FetchSection) -> Iterator[str]:
    if what := advice(error, fetch):
        yield f"to change   {what}"
    place = _place(fetch)
    if isinstance(error, Untrusted) and place:
        with suppress(HttpError), Deadline(fetch.timeout_s) as deadline:
            yield f"fingerprint {fingerprint(*place, deadline)}"
