"""Logs: JSON or lines, secrets masked in every form, no control character of a sender."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared import log
from shared.masking import MASK

SECRET = "p@ss wörd/1"
FORMS = ["p@ss wörd/1", "p%40ss%20w%C3%B6rd%2F1", "p%40ss+w%C3%B6rd%2F1", "p@ss w\\u00f6rd/1"]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def logged(root: logging.Logger):
    """Sets logs up and returns what was written since."""

    def set_up(form: str = "json", secrets: tuple[str, ...] = (SECRET,), level: str = "debug"):
        stream = io.StringIO()
        log.set_up(level, form, secrets, stream)
        return stream.getvalue

    return set_up


def record(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


def test_a_json_line_has_level_logger_time_and_what_was_said(logged):
    text = logged()
    logging.getLogger("a.b").warning("took %s", 7, extra={"action": "taken", "size": 3})
    found = record(text())
    assert found["event"] == "took 7"
    assert (found["level"], found["logger"]) == ("warning", "a.b")
    assert (found["action"], found["size"]) == ("taken", 3)
    assert found["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("shape", FORMS)
def test_a_secret_is_masked_in_every_form(logged, form: str, shape: str):
    text = logged(form)
    logging.getLogger("a").info("at http://user:%s@host", shape, extra={"also": f"x{shape}x"})
    assert shape not in text()
    assert text().count(MASK) == 2


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_is_masked_in_tracebacks_and_within_things(logged, form: str):
    text = logged(form)
    try:
        try:
            raise ValueError(f"inner {SECRET}")
        except ValueError as error:
            raise OSError({"deep": SECRET}) from error
    except OSError as error:
        logging.getLogger("a").exception(
            "failed", extra={"error": error, "tree": {"list": [SECRET, {"a": (SECRET,)}]}}
        )
    assert "wörd" not in text()
    assert "w\\xf6rd" not in text()
    assert "Traceback" in text()


def test_a_text_without_the_secret_is_not_masked(logged):
    text = logged(secrets=("other-secret",))
    logging.getLogger("a").info(SECRET)
    assert record(text())["event"] == SECRET


@pytest.mark.promise("sec O1")
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_senders_name_writes_no_line_and_no_terminal_command(logged, form: str):
    text = logged(form)
    logging.getLogger("a").info("got %s", "a\r\n\x1b[31mforged\u202e.jpg", extra={"name_": "\x07"})
    assert len(text().splitlines()) == 1
    assert not set(text()) & set("\r\x1b\x07\u202e")
    assert "forged" in text()


def test_a_long_text_keeps_its_beginning_and_its_end(logged):
    text = logged()
    logging.getLogger("a").info("begin %s end", "x" * 100_000)
    assert record(text())["event"].startswith("begin")
    assert record(text())["event"].endswith("end")
    assert len(text()) < 5000


def test_levels_are_kept_and_libraries_are_quiet(logged):
    text = logged(level="info")
    logging.getLogger("a").debug("no")
    logging.getLogger("pika.connection").info("no")
    logging.getLogger("pika.connection").warning("yes")
    assert len(text().splitlines()) == 1
