"""Without a name server and a way out, and with packets that vanish: in networks of their own.

They need root. Without it these tests fail in CI, and are skipped on a developer's machine.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.rights import need_rights
from tests.support.system import ROOT


def play(what: str) -> None:
    need_rights("a network of its own")
    command = [sys.executable, "-m", "tests.integration.no_network", what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stdout.endswith("well\n"), done.stdout + done.stderr


@pytest.mark.promise("feat C6")
@pytest.mark.promise("fault X3", "inv I6")
def test_without_a_way_out_all_that_is_in_the_house_works():
    play("pipeline")


@pytest.mark.promise("fault S3")
def test_a_reader_of_the_stream_that_vanished_is_forgotten():
    play("stream")


@pytest.mark.promise("fault P4")
def test_a_rabbitmq_that_vanished_is_given_up_in_seconds_and_found_again():
    play("broker")
