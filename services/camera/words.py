"""The facts of a picture in words."""

from __future__ import annotations

from services.camera.facts import Facts
from shared.errors import PictureError
from shared.picture.header import read_header

CLOSE_S = 3.0
"""Clocks told in whole seconds differ by so much without meaning."""
_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


def seen(facts: Facts) -> str:
    """How a picture was got, in one line."""
    login = f"login: {facts.login}" if facts.login else "no login"
    clock = "not told" if facts.ahead_s is None else clock_words(facts)
    return f"reached, {login}, {_size(facts)}, clock: {clock}"


def login_words(facts: Facts) -> str:
    """How we were let in."""
    return facts.login or "none was asked for"


def picture_words(facts: Facts, picture: bytes) -> str:
    """What came, and how fast."""
    what = ""
    try:
        header = read_header(picture)
        kind = header.media_type.removeprefix("image/").upper()
        what = f"{kind}, {header.width} x {header.height}, "
    except PictureError:
        pass  # taken all the same; the detector says what is wrong with it
    return what + _size(facts)


def _size(facts: Facts) -> str:
    return f"{max(1, round(facts.size / 1000)):,} kB in {facts.seconds:.2f} s"


def clock_words(facts: Facts) -> str:
    """The camera's clock beside ours."""
    if facts.ahead_s is None:
        return "the camera does not tell the time"
    if abs(facts.ahead_s) <= CLOSE_S:
        return "right"
    seconds, unit = next(
        each for each in _UNITS if abs(facts.ahead_s) >= 2 * each[0] or each[0] == 1
    )
    where = "ahead of" if facts.ahead_s > 0 else "behind"
    return (
        f"{abs(facts.ahead_s) / seconds:.0f} {unit} {where} ours: set a time server in the camera"
    )
