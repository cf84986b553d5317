"""The header of a mail or of one of its parts: foreign text, read with care."""

from __future__ import annotations

from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32

from shared.text import one_line, printable

LONGEST_VALUE = 2000
"""A longer line about the content is left out: the library takes very long for some."""
LONGEST_NAME = 255


class Head:
    """Never raises: what can't be read is as if it were not there."""

    def __init__(self, block: bytes) -> None:
        try:
            self._charset, text = "utf-8", block.decode()
        except UnicodeDecodeError:
            self._charset, text = "latin-1", block.decode("latin-1")
        self._message: Message[str, str] = HeaderParser(policy=compat32).parsestr(text)
        for name in ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding"):
            if any(len(str(each)) > LONGEST_VALUE for each in self._message.get_all(name, ())):
                del self._message[name]

    @property
    def content_type(self) -> str:
        """Such as image/jpeg; text/plain where nothing is said."""
        return self._message.get_content_type()

    @property
    def boundary(self) -> bytes:
        """Of a multipart; empty: it says none."""
        try:
            return (self._message.get_boundary() or "").encode(self._charset, "replace")
        except (MessageError, ValueError, LookupError):
            return b""

    @property
    def encoding(self) -> str:
        return str(self._message.get("Content-Transfer-Encoding", ""))

    @property
    def attached(self) -> bool:
        """Whether it is meant as a file and not as the text of the mail."""
        return self._message.get_content_disposition() == "attachment" or bool(self.file_name)

    @property
    def file_name(self) -> str:
        """What the sender calls the part: data, never a path."""
        try:
            name = self._message.get_filename() or ""
        except (MessageError, ValueError, LookupError):
            return ""
        return printable(_decoded(name), LONGEST_VALUE)[-LONGEST_NAME:]

    def text(self, name: str) -> str:
        """A header in one line, its encoded words decoded; empty: there is none."""
        return one_line(_decoded(str(self._message.get(name, ""))), LONGEST_NAME)


def _decoded(text: str) -> str:
    text = text[:LONGEST_VALUE]
    try:
        return text if "=?" not in text else str(make_header(decode_header(text)))
    except (MessageError, ValueError, LookupError):
        return text
