"""A few rounds of the kill matrix for every change, more for `task prove`, all by `task chaos`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.chaos.feeds import Pictures
from tests.chaos.kill_matrix import ONE, points, rounds_of_many, rounds_of_one
from tests.chaos.nursery import Nursery
from tests.chaos.stage import Round, Stage, stage

FEW = (
    "store.after_link:2",
    "intake.after_record:3",
    "journal.between_row_and_event:2",
    "worker.committed:2",
    "drive.renamed:1",
    "scheduler.requested:1",
)
MORE = (
    "store.after_sync:1",
    "journal.after_commit:3",
    "ftp.before_answer:1",
    "journal.before_commit:2",
    "bus.delivered:2",
    "worker.handled:3",
    "bus.before_publish:2",
    "bus.published:2",
    "outbox.before_mark:1",
    "drive.part_written:2",
    "drive.part_synced:1",
    "drive.checked:2",
    "drive.folder_synced:1",
    "folder.accepted:2",
    "folder.moved:1",
    "folder.before_result:2",
    "folder.result_written:1",
    "mail.finished:1",
    "mail.before_answer:2",
    "camera.accepted:1",
    "reconciler.published:1",
    "reconciler.delivered:2",
    "scheduler.before_request:1",
    "source.recorded:1",
)


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with closing(Nursery()) as nursery:
        folder = tmp_path_factory.mktemp("kill") / "one"
        with closing(stage(ONE, folder, nursery, Pictures(random.randrange(10**9)))) as ready:
            yield ready


@pytest.mark.promise("inv I1", "inv I2", "inv I6", "inv I8", "inv I9", "inv I12")
@pytest.mark.promise("fault F1", "fault F5", "fault W5", "fault P1", "fault D1")
@pytest.mark.promise("fault C6", "fault S1", "fault G1")
@pytest.mark.parametrize(
    "where", [*FEW, *(pytest.param(each, marks=pytest.mark.prove) for each in MORE)]
)
def test_killed_anywhere_nothing_is_lost_and_nothing_happens_twice(one_process: Stage, where: str):
    name, _, hit = where.partition(":")
    one = next(one for one in rounds_of_one() if (one.point, one.hit) == (name, int(hit)))

    outcome = one_process.play(one)

    assert outcome.reached, where
    assert outcome.account.clean, outcome.account


def test_every_failpoint_is_in_the_matrix():
    one, many = list(rounds_of_one()), list(rounds_of_many())
    expected = set(points())

    assert {each.point for each in one} == expected
    assert {each.point for each in many} == expected
    assert len(one) >= 120


def test_an_account_that_does_not_add_up_is_red(one_process: Stage):
    one_process.play(Round("store.after_sync", 1, "allinone"))
    system = one_process.system
    system.kill(*system.running())
    filed = sorted(system.archive.rglob("*.jpg"))[-1]
    filed.with_stem(f"again_{filed.stem}").write_bytes(filed.read_bytes())
    twice = one_process.play(Round("store.after_sync", 2, "allinone")).account
    assert [re.sub(" .*", "", each) for each in twice.twice] == ["files"]
