"""A form with a picture in it (multipart/form-data), read as it comes: of the file no more is in
memory than the last piece. The one user of python-multipart."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.api.problems import Problem

MOST_PARTS = 20
FIELD_BYTES = 1_000
OVERHEAD_BYTES = 65_536
"""So much a form may be larger than its picture."""
_CUT = Problem(400, "cut-off", "The form ends within a part.")


@dataclass(slots=True)
class _Part:
    """One part of the form, whose headers are being read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    filename: bytes | None = None
    value: bytes = b""


class Form:
    """``file`` is the name of the part that is the picture; it has a file name, or it is no file.
    ``fields``: the values of the other parts, each up to 1,000 bytes."""

    def __init__(self, content_type: str, file: str) -> None:
        """Raises Problem for what is no such form."""
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        """What the picture is called, once it was met."""
        self.ended = False
        self._file = file.encode()
        self._bytes: list[bytes] = []
        self._part = _Part()
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._parts = 0
        self._in_file = False
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise no_file()
        try:
            self._parser = MultipartParser(boundary, {  # the library calls these as it reads
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            })  # fmt: skip
        except FormParserError:
            raise no_file() from None

    def read(self, piece: bytes) -> list[bytes]:
        """Read more of the form; what of it is of the picture. Raises Problem."""
        if self.ended:
            return []  # what comes behind the last part means nothing
        try:
            self._parser.write(piece)
        except FormParserError:
            raise Problem(400, "no-form", "This is no proper multipart/form-data.") from None
        found, self._bytes = self._bytes, []
        return found

    def finish(self) -> str:
        """Nothing more comes; what the picture is called. Raises Problem."""
        if not self.ended:
            raise _CUT if self.filename is not None else no_file()
        if self.filename is None:
            raise no_file()
        return self.filename

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Problem(413, "too-many-parts", f"At most {MOST_PARTS} parts are taken here.")
        self._part = _Part()

    def _field(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name + data[start:end], value)

    def _value(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name, value + data[start:end])

    def _header_end(self) -> None:
        name, value = self._header
        self._part.headers[name.lower()] = value
        self._header = (b"", b"")

    def _headers_end(self) -> None:
        _, options = parse_options_header(
            self._part.headers.get(b"content-disposition", b"").decode("latin-1")
        )
        self._part.name = options.get(b"name", b"")
        self._part.filename = options.get(b"filename")
        self._in_file = self._part.name == self._file and self._part.filename is not None
        if not self._in_file:
            return
        if self.filename is not None:
            raise Problem(422, "more-than-one-file", "Send one picture in a request.")
        self.filename = (self._part.filename or b"").decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._bytes.append(bytes(data[start:end]))
        elif self._part.filename is None:
            self._part.value += data[start:end]
            if len(self._part.value) > FIELD_BYTES:
                told = f"A field of the form may have {FIELD_BYTES} bytes."
                raise Problem(413, "field-too-large", told)

    def _part_end(self) -> None:
        if self._part.filename is None:
            name = self._part.name.decode(errors="replace")
            self.fields[name] = self._part.value.decode(errors="replace")
        self._in_file = False

    def _end(self) -> None:
        self.ended = True


def no_file() -> Problem:
    """The refusal that source document 000 has for a request without a file."""
    return Problem(400, "no-file", "No file provided")
