"""A camera that shows the same for hours costs two calls: the place, and who comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.simulator.amazon.labels import seen_by
from services.simulator.scenes import Drawn, Scene
from services.simulator.shown import Shown
from services.simulator.visits import visitors
from shared.events import SnapshotAnalyzed
from tests.support.amazon import Asking, amazon, asking

DAWN = datetime(2026, 6, 1, 9, tzinfo=UTC)


def with_somebody(look: Scene, after: datetime) -> Drawn:
    """The first picture after this moment on which one person can be seen well."""
    for seconds in range(0, 4000, 7):
        moment = after + timedelta(seconds=seconds)
        cast = [each for each in visitors(look.camera, look.place, moment) if each.kind == "person"]
        drawn = look.draw(moment, cast[:1])
        if drawn.figures and drawn.figures[0].visible > 0.8:
            return drawn
    raise AssertionError("nobody came")


def watch(asks: Asking, shown: Shown, look: Scene, frames: int, enters: int) -> list[int]:
    """The numbers of the frames on which Amazon's result has a person."""
    seen = []
    for number in range(frames):
        moment = DAWN + timedelta(seconds=11 * number)
        drawn = with_somebody(look, moment) if number == enters else look.draw(moment, [])
        shown.note(drawn)
        said: SnapshotAnalyzed = asks.bought(drawn.jpeg(80))
        assert said.analyzed
        if said.human_seen:
            seen.append(number)
    return seen


@pytest.mark.promise("feat E29")
def test_a_hundred_pictures_of_a_place_are_two_calls_and_who_comes_is_one_of_them(
    tmp_path: Path,
) -> None:
    shown = Shown()
    with amazon(seen_by(shown)) as cloud, asking(tmp_path, cloud) as asks:
        seen = watch(asks, shown, Scene("gate", (640, 360)), frames=100, enters=50)

        assert seen == [50]
        assert sum(cloud.charged.values()) == 2
        assert asks.money() == 0.002


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.promise("feat E29")
@pytest.mark.parametrize("camera", ["porch", "gate", "yard"])
def test_of_a_thousand_pictures_at_most_ten_are_paid_and_who_comes_is_among_them(
    tmp_path: Path, camera: str
) -> None:
    shown = Shown()
    with amazon(seen_by(shown)) as cloud, asking(tmp_path, cloud) as asks:
        seen = watch(asks, shown, Scene(camera, (1280, 720)), frames=1000, enters=500)

        assert seen == [500]
        assert sum(cloud.charged.values()) <= 10


def test_without_a_memory_each_picture_is_paid(tmp_path: Path) -> None:
    """The negative control."""
    shown = Shown()
    thrift = {"price": 0.001, "cooldown_s": 0, "scenes": 0}
    with amazon(seen_by(shown)) as cloud, asking(tmp_path, cloud, thrift=thrift) as asks:
        seen = watch(asks, shown, Scene("gate", (320, 180)), frames=10, enters=5)

        assert (seen, sum(cloud.charged.values())) == ([5], 10)


def test_who_comes_is_overlooked_where_all_counts_as_alike(tmp_path: Path) -> None:
    """The negative control."""
    shown = Shown()
    thrift = {"price": 0.001, "cooldown_s": 0, "alike": 100}
    with amazon(seen_by(shown)) as cloud, asking(tmp_path, cloud, thrift=thrift) as asks:
        seen = watch(asks, shown, Scene("gate", (320, 180)), frames=10, enters=5)

        assert (seen, sum(cloud.charged.values())) == ([], 1)
