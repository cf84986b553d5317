"""The benchmark's baseline: a process of it that ends is missed at once, with what it said."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.bench import naive
from tests.bench.naive_processes import Ended, Naive, NaiveHeard


def interpreter(path: Path, *lines: str) -> Path:
    """A program in the place of the Python that has ultralytics."""
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def test_a_detector_that_ends_as_it_starts_is_told_at_once_with_its_error(
    tmp_path: Path, amqp_url: str
):
    python = interpreter(tmp_path / "python", 'echo "no module named torch" >&2', "exit 3")
    began = time.monotonic()
    with pytest.raises(Ended, match="naive detector ended with status 3: no module named torch"):
        Naive(tmp_path / "naive", amqp_url, tmp_path / "weights.pt", python)
    assert time.monotonic() - began < 20


def test_one_that_ends_while_results_are_waited_for_is_told_at_once(tmp_path: Path, amqp_url: str):
    consumes = (
        "import sys, pika; c = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel(); "
        f"c.basic_consume('{naive.TAKEN}', print); c.start_consuming()"
    )
    python = interpreter(tmp_path / "python", f'exec "$PYTHON" -c "{consumes}" "$6"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON", sys.executable)
        started = Naive(tmp_path / "naive", amqp_url, tmp_path / "weights.pt", python)
    heard = NaiveHeard(started, amqp_url)
    with closing(started), closing(heard.witness):
        assert heard.count() == 0
        started._processes["detector"].kill()
        with pytest.raises(Ended, match="naive detector ended"):
            heard.wait(1)
