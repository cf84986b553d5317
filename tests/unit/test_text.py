"""Foreign text is cleaned in one place, and loses only what could do harm."""

from __future__ import annotations

import pytest

from shared.text import LONGEST_NAME, escaped, one_line, printable, shortened, storable

HOSTILE = "a\x1b[31m\x00\n\r\u2028\x85\udcffb"


def test_a_name_loses_controls_surrogates_and_line_ends() -> None:
    assert printable(HOSTILE) == "a\ufffd[31m" + "\ufffd" * 6 + "b"


@pytest.mark.parametrize("name", ["Tür 1 日本.jpg", "a b.jpg", "\U0001f600", "\u200d", ""])
def test_what_can_be_printed_stays_as_it_is(name: str) -> None:
    assert printable(name) == name


def test_a_name_has_an_end() -> None:
    assert len(printable("x" * 5000)) == len(printable("ü" * 5000)) == LONGEST_NAME


def test_what_is_stored_has_no_nul_and_no_surrogate_but_keeps_its_lines() -> None:
    assert storable(HOSTILE, 100) == "a\x1b[31m\ufffd\n\r\u2028\x85?b"
    assert storable("x" * 5000, 255) == "x" * 255


def test_a_terminal_is_not_steered() -> None:
    assert escaped(HOSTILE) == r"a\x1b[31m\x00\n\r\u2028\x85\udcffb"
    assert escaped("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


def test_one_line_is_one_line() -> None:
    assert one_line(" a\x1b[31m\n\n b\t", 100) == "a [31m b"
    assert one_line("x" * 500, 120) == "x" * 120


def test_of_a_long_text_its_beginning_and_its_end_stay() -> None:
    assert shortened("x" * 100, 100) == "x" * 100
    text = shortened("b" + "x" * 1000 + "e", 100)
    assert text[0] == "b" and text[-1] == "e" and len(text) == 103
