"""Where a mail ends and what its parts are, however its bytes are cut."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mail.content import Content
from services.mail.encodings import Base64, Damaged, Plain, QuotedPrintable
from services.mail.head import Head
from services.mail.parts import Parts

PIECES = st.lists(st.sampled_from([b"\r", b"\n", b".", b"x", b"\r\n.\r\n", b"\r\n..", b"\r\n"]))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The bytes in pieces of these sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@given(st.lists(PIECES.map(b"".join)), st.lists(st.integers(0, 7)))
def test_any_content_comes_out_as_it_was_however_it_is_cut(lines: list[bytes], sizes: list[int]):
    wanted = b"".join(line + b"\r\n" for line in lines)
    sent = (b"\r\n" + wanted).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\nNOOP\r\n"
    content, got = Content(), b""
    for piece in cut(sent, sizes):
        if content.over:
            content.rest += piece
        else:
            got += content.take(piece)
    assert (content.over, got, content.rest) == (True, wanted, b"NOOP\r\n")


@given(st.binary(max_size=300), st.lists(st.integers(0, 9)), st.integers(1, 80))
def test_base64_comes_out_as_it_was_however_it_is_cut(data: bytes, sizes: list[int], width: int):
    text = base64.b64encode(data)
    lines = b"\r\n".join(text[at : at + width] for at in range(0, len(text), width))
    decoder = Base64()
    got = b"".join(decoder.decode(piece) for piece in cut(lines, sizes)) + decoder.finish()
    assert got == data


@pytest.mark.parametrize("text", [b"AAAA*AAA", b"A", b"=", b"AA==AAAA", b"AAAAA", b"A=A="])
def test_damaged_base64_is_told(text: bytes):
    with pytest.raises(Damaged):
        decoder = Base64()
        for at in range(len(text)):
            decoder.decode(text[at : at + 1])
        decoder.finish()


def test_lines_of_quoted_printable_without_end_are_refused():
    with pytest.raises(Damaged):
        QuotedPrintable().decode(b"x" * 3000)


@given(st.binary(max_size=100), st.lists(st.integers(0, 9)))
def test_plain_bytes_lose_only_the_line_end_before_the_boundary(data: bytes, sizes: list[int]):
    decoder = Plain()
    got = b"".join(decoder.decode(piece) for piece in cut(data + b"\r\n", sizes)) + decoder.finish()
    assert got == data


class Found:
    """A leaf that only remembers."""

    def __init__(self, head: Head, all_: list[Found]) -> None:
        self.head, self.data, self.ended = head, b"", False
        all_.append(self)

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.data += data

    def end(self) -> None:
        self.ended = True


def leaves(data: bytes, sizes: list[int]) -> list[tuple[str, bytes]]:
    found: list[Found] = []
    parts = Parts(lambda head: None, lambda head: Found(head, found))
    for piece in cut(data, sizes):
        parts.feed(piece)
    parts.close()
    assert all(each.ended for each in found)
    return [(each.head.content_type, each.data) for each in found]


MAIL = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n--ab\r\n"
    b"--a\r\n\r\none\r\n--a--not\r\n-- a\r\n"
    b'--a  \r\nContent-Type: multipart/mixed; boundary="a=b"\r\n\r\n'
    b"--a=b\r\nContent-Type: image/png\r\n\r\ntwo\r\n--a=b--\r\nepilogue\r\n"
    b"--a\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n\r\nthree\r\n"
    b"--a--\r\nepilogue\r\n--a\r\n"
)
PARTS = [
    ("text/plain", b"one\r\n--a--not\r\n-- a\r\n"),
    ("image/png", b"two\r\n"),
    ("text/html", b"three\r\n"),
]


@given(st.lists(st.integers(0, 40)))
def test_a_mail_has_the_same_parts_however_it_is_cut(sizes: list[int]):
    assert leaves(MAIL, sizes) == PARTS


@given(st.lists(st.binary(max_size=2000)))
def test_a_line_without_end_is_one_part(pieces: list[bytes]):
    data = b"\r\n" + b"".join(pieces).replace(b"\n", b"")
    ((_kind, got),) = leaves(data, [len(each) for each in pieces])
    assert got.removesuffix(b"\n") == data[2:]


@given(st.binary(max_size=400))
def test_no_header_is_too_odd_to_be_read(block: bytes):
    for text in (block, b"Content-Type: " + block, b"Content-Disposition: attachment; " + block):
        head = Head(text + b"\n\n")
        assert isinstance(head.content_type + head.file_name + head.encoding, str)
        assert isinstance(head.boundary, bytes)
        assert "\n" not in head.text("Subject") + head.file_name
