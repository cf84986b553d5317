"""Extracts one picture from a camera's answer while it is being received.

Only the newest chunk is held, so that memory does not depend on the camera. A picture ends at its
end marker: what follows (padding, a second frame) is neither kept nor waited for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.camera import explain
from services.camera.failures import WrongAnswer
from shared.errors import NotAPicture
from shared.picture.format import HEAD, sniff

MAX_PART_HEADER = 16_384

_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,10})\s*$", re.IGNORECASE | re.MULTILINE)


def one_picture(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of the first picture in ``chunks``; raises CameraError when there is none.

    A multipart stream is recognised by its content, because cameras declare types wrongly.
    """
    head, chunks = _read_head(chunks, HEAD)
    if head.lstrip(b"\r\n").startswith(b"--"):
        head, chunks = _read_head(_first_part(_joined(head, chunks)), HEAD)
    try:
        kind = sniff(head)
    except NotAPicture:
        head, _ = _read_head(_joined(head, chunks), explain.HEAD)
        raise explain.page(head) from None
    yield from _until_end(_joined(head, chunks)) if kind == "image/jpeg" else _joined(head, chunks)


def _joined(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _read_head(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first ``size`` bytes or more, or all there are, and the chunks after them."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head, chunks


def _until_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """A JPEG up to its end marker; raises WrongAnswer when it never comes."""
    end = JpegEnd()
    size = 0
    for chunk in chunks:
        length = end.feed(chunk)
        size += len(chunk)
        if length is not None:
            yield chunk[:length]
            return
        yield chunk
    raise WrongAnswer(f"the picture is cut off after {size} bytes")


class JpegEnd:
    """Finds the end of a JPEG that comes in chunks.

    It follows the segments from the start, so that the end of a thumbnail inside the header is not
    taken for the end of the picture.
    """

    def __init__(self) -> None:
        self._skip = 2
        self._carry = b""
        self._scans = False

    def feed(self, chunk: bytes) -> int | None:
        """How many bytes of ``chunk`` belong to the picture, if it ends there; else None."""
        data = self._carry + chunk
        position, self._carry = self._skip, b""
        while position < len(data):
            found = _MARKER.search(data, position)
            if found is None:
                self._carry = b"\xff" if data.endswith(b"\xff") else b""
                position = len(data)
                break
            code, after = found[1][0], found.end()
            if code == _EOI and self._scans:
                return after - (len(data) - len(chunk))
            if code in (_SOI, _TEM, _EOI):
                position = after
                continue
            if after + 2 > len(data):
                self._carry, position = data[found.start() :], len(data)
                break
            self._scans = self._scans or code == _SOS
            position = after + max(int.from_bytes(data[after : after + 2], "big"), 2)
        self._skip = position - len(data)
        return None


def _first_part(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The body of the first part of a multipart answer.

    The boundary is read from the body, since the one in the header is often wrong.
    """
    data = b""
    for chunk in chunks:
        data = (data + chunk).lstrip(b"\r\n")
        if header := _BLANK_LINE.search(data):
            break
        if len(data) > MAX_PART_HEADER:
            raise WrongAnswer("the camera's stream has no end of its first header")
    else:
        raise WrongAnswer("the camera's stream ends before its first picture")
    boundary = data.split(b"\n", 1)[0].strip()
    length = _LENGTH.search(data, 0, header.end())
    body = _joined(data[header.end() :], chunks)
    if length and int(length[1]):
        yield from _exactly(body, int(length[1]))
    else:
        yield from _before(body, b"\n" + boundary)


def _exactly(chunks: Iterator[bytes], length: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:length]
        length -= len(chunk)
        if length <= 0:
            return


def _before(chunks: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        data = held + chunk
        place = data.find(mark)
        if place >= 0:
            yield data[:place]
            return
        held = data[-len(mark) :]
        yield data[: -len(mark)]
    yield held
