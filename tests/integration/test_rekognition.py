"""Amazon Rekognition by a simulated one over HTTP: what is said of a picture, and when."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.rekognition.app import build
from services.simulator.amazon.labels import MAX_IMAGE
from shared.errors import Reject, Retry, Unreachable
from shared.events import Event
from shared.service import NOTHING_OLD
from shared.settings import Settings
from tests.support.amazon import FIRST, KEY, KEY_ID, SECOND, Asking, amazon, asking, tree_of
from tests.support.making import core
from tests.support.pictures import jpeg, png, scene, with_details, with_orientation


@pytest.mark.promise("feat E2", "feat E7")
def test_a_picture_has_two_results_that_of_the_detector_and_that_of_amazon(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        event = asks.local(jpeg(), "dog", confidence=0.5)
        said = asks.handle(event)

        assert said is not None and said.analyzed
        assert (said.analyzer, said.engine, said.model) == (
            "rekognition", "rekognition", "DetectLabels 3.0",
        )  # fmt: skip
        person, garden = said.detections
        assert (person.label, person.confidence) == ("person", 0.991)
        assert person.box == (0.25, 0.5, 0.5, 0.75)
        assert (garden.label, garden.confidence, garden.box) == ("garden", 0.88, (0, 0, 1, 1))
        assert (said.person_count, said.human_seen) == (1, True)
        assert (said.width, said.height) == (320, 240)
        snapshot = asks.core.journal.read.snapshot(event.snapshot_id or "")
        assert snapshot is not None
        assert [each.analyzer for each in snapshot.analyses] == ["detector", "rekognition"]
        assert cloud.charged == {FIRST: 1}


@pytest.mark.promise("feat E3")
def test_only_what_the_detector_is_not_sure_of_is_sent(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud, when="unsure") as asks:
        assert asks.ask(jpeg(quality=81), "person", confidence=0.95) is None
        assert asks.ask(jpeg(quality=82)) is None
        assert cloud.asked == {}
        assert asks.bought(jpeg(quality=83), "person", confidence=0.5).human_seen


@pytest.mark.promise("feat E2")
def test_nothing_old_is_sent_and_its_results_are_known_while_it_is_on(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        assert asks.service.history == NOTHING_OLD
        assert asks.core.settings.analyzers == ("detector", "rekognition")
    assert Settings().analyzers == ("detector",)


def test_its_own_results_are_not_sent_again(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        event = asks.local(jpeg())
        (said,) = asks.service.handlers[event.topic](event)
        assert isinstance(said, Event)
        assert asks.service.handlers[said.topic](said) == []
        assert cloud.charged == {FIRST: 1}


@pytest.mark.promise("feat E2", "fault D7")
def test_pictures_are_sent_upright_small_enough_and_without_what_they_tell_of_their_owner(
    tmp_path: Path,
) -> None:
    sent: list[Image.Image] = []

    def see(image: Image.Image) -> list[dict[str, Any]]:
        sent.append(image)
        return []

    grain = np.random.default_rng(3).integers(0, 255, (2400, 3200, 3), dtype=np.uint8)
    large = jpeg(Image.fromarray(grain), quality=95)
    assert len(large) > MAX_IMAGE
    pictures = {
        "large": large,
        "png": png(scene(300, 200)),
        "cmyk": jpeg(scene(300, 200).convert("CMYK")),
        "turned": with_orientation(scene(300, 200), 6),
        "told": with_details(scene(300, 200)),
    }
    with amazon(see) as cloud, asking(tmp_path, cloud, longest_side=2000) as asks:
        for name, picture in pictures.items():
            said = asks.bought(picture, camera=name)
            assert said.analyzed and said.human_seen is False, name
        assert cloud.charged == {FIRST: len(pictures)}

    found = dict(zip(pictures, sent, strict=True))
    assert {each.format for each in sent} == {"JPEG"}
    assert found["large"].size == (2000, 1500)
    assert found["turned"].size == (200, 300)
    assert all(not each.getexif() for each in sent)
    assert not any(b"SECRET" in str(each.info).encode() for each in sent)


@pytest.mark.promise("fault D7")
def test_a_picture_that_amazon_does_not_take_is_not_analysed_and_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        monkeypatch.setattr("services.simulator.amazon.labels.MAX_IMAGE", 100)
        said = asks.bought(jpeg())

        assert not said.analyzed
        assert "ImageTooLargeException" in said.reason
        assert said.human_seen is None and said.person_count is None
        assert (cloud.asked, cloud.charged) == ({FIRST: 1}, {})
        assert asks.money() == 0  # what is refused is not charged


REFUSED = ("throttled", "overloaded", "error", "expired", "denied", "clock")
UNCLEAR = ("reset", "lost")


@pytest.mark.promise("feat E11", "fault D7")
@pytest.mark.parametrize("fault", [*REFUSED, *UNCLEAR])
def test_what_one_region_does_not_do_the_other_does(tmp_path: Path, fault: Any) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        cloud.faults = {FIRST: fault}

        said = asks.bought(jpeg())

        assert said.analyzed and said.human_seen
        assert cloud.charged[SECOND] == 1
        # Whether the first one charges for it, nobody knows where the connection just ended.
        assert asks.money() == (0.002 if fault in UNCLEAR else 0.001)


@pytest.mark.promise("feat E11", "fault D7")
@pytest.mark.parametrize("fault", [*REFUSED, *UNCLEAR])
def test_while_no_region_answers_nothing_is_said_and_it_is_said_later(
    tmp_path: Path, fault: Any
) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        cloud.faults = {"*": fault}
        event = asks.local(jpeg())
        with pytest.raises(Unreachable) as error:
            asks.handle(event)
        assert error.value.peer == "rekognition"
        told = asks.service.about()
        assert told["ok"] is (fault in ("throttled", "overloaded"))
        snapshot = asks.core.journal.read.snapshot(event.snapshot_id or "")
        assert snapshot is not None and len(snapshot.analyses) == 1
        assert asks.money() == (0.002 if fault in UNCLEAR else 0)

        cloud.faults = {}
        said = asks.handle(event)

        assert said is not None and said.human_seen
        assert asks.service.about()["ok"]


@pytest.mark.promise("fault D7")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired", "keys have expired: set new ones"),
        ("denied", "does not allow it: give the keys the right"),
        ("clock", "clock of this machine is wrong"),
    ],
)
def test_who_must_change_something_is_told_what(tmp_path: Path, fault: Any, words: str) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        cloud.faults = {"*": fault}
        with pytest.raises(Unreachable, match=words):
            asks.ask(jpeg())
        assert words in asks.service.about()["summary"]


@pytest.mark.promise("fault D7")
def test_a_region_that_is_silent_costs_its_time_twice_and_is_then_left_alone(
    tmp_path: Path,
) -> None:
    with amazon() as cloud, asking(tmp_path, cloud, request_s=0.5) as asks:
        cloud.faults = {FIRST: "silent"}
        for number in range(5):
            assert asks.bought(jpeg(quality=70 + number), camera=f"c{number}").human_seen
        assert cloud.asked == {FIRST: 2, SECOND: 5}
        told = asks.service.about()
        assert told["ok"] and told["summary"].startswith("us-east-1: ")
        assert asks.money() == 0.007  # two that may have been charged, too


@pytest.mark.promise("fault D7")
def test_an_endpoint_that_is_away_costs_nothing(tmp_path: Path) -> None:
    with asking(tmp_path, None) as asks:
        for number in range(3):
            with pytest.raises(Unreachable):
                asks.ask(jpeg(quality=70 + number))
        assert asks.money() == 0
        assert asks.service.about()["paid"]["rekognition"]["open"] == 0


@pytest.mark.promise("fault D7")
def test_an_answer_that_is_none_is_not_nothing_found(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        cloud.faults = {FIRST: "nonsense"}
        with pytest.raises(Retry, match="can't be read"):
            asks.ask(jpeg())
        assert asks.money() == 0.001


@pytest.mark.promise("feat E29", "fault D7")
def test_without_money_the_local_result_stands_and_the_reason_is_told(tmp_path: Path) -> None:
    more = {"paid": {"engine": {"daily": 0.002}}}
    with amazon() as cloud, asking(tmp_path, cloud, more=more) as asks:
        for camera in ("a", "b"):
            assert asks.bought(jpeg(quality=70), camera=camera).analyzed
        event = asks.local(jpeg(), "dog", confidence=0.9, camera="c")
        said = asks.handle(event)

        assert said is not None
        assert (said.analyzed, said.reason, said.person_count) == (False, "budget", None)
        assert cloud.asked == {FIRST: 2}
        snapshot = asks.core.journal.read.snapshot(event.snapshot_id or "")
        assert snapshot is not None
        results = {each.analyzer: each.data["analyzed"] for each in snapshot.analyses}
        assert results == {"detector": True, "rekognition": False}
        about = asks.service.about()
        assert about["paid"]["rekognition"]["periods"]["day"]["refused"] == 1
        assert about["summary"] == "0.002 of 0.002 USD this day, 0.002 of 10.00 USD this month"


@pytest.mark.promise("feat E29")
def test_pictures_in_a_row_are_paid_once_and_then_its_camera_pauses(tmp_path: Path) -> None:
    thrift = {"price": 0.001, "cooldown_s": 60}
    with amazon() as cloud, asking(tmp_path, cloud, thrift=thrift) as asks:
        assert asks.bought(jpeg(quality=80)).engine == "rekognition"
        alike = asks.bought(jpeg(quality=70))
        assert alike.analyzed and alike.human_seen
        assert alike.engine.startswith("rekognition, as for ")
        other = asks.bought(jpeg(Image.new("RGB", (320, 240), "white")))
        assert (other.analyzed, other.reason) == (False, "cool-down")
        assert cloud.charged == {FIRST: 1}


def test_a_picture_that_is_old_by_now_is_not_sent(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud, valid_s=0.05) as asks:
        event = asks.local(jpeg())
        time.sleep(0.06)
        said = asks.handle(event)
        assert said is not None
        assert (said.analyzed, said.reason, cloud.asked) == (False, "too old", {})


def test_a_result_without_a_picture_is_refused(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        event = asks.local(jpeg())
        with pytest.raises(Reject, match="no snapshot"):
            stranger = Event(**{**_fields(event), "snapshot_id": "0" * 26})
            asks.service.handlers[event.topic](stranger)


def _fields(event: Event) -> dict[str, Any]:
    names = ("id", "topic", "subject", "time", "data", "cause")
    return {name: getattr(event, name) for name in names}


@pytest.mark.promise("inv I16")
def test_no_log_and_no_error_holds_the_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        for fault in (*REFUSED, *UNCLEAR):
            cloud.faults = {"*": fault}  # type: ignore[dict-item]
            with pytest.raises(Unreachable) as error:
                asks.ask(jpeg(quality=70), camera=fault)
            assert KEY not in str(error.value) and KEY_ID not in str(error.value)
        assert KEY not in str(asks.service.about())
    assert KEY not in caplog.text and KEY_ID not in caplog.text


@pytest.mark.promise("fault D7")
def test_without_keys_it_runs_and_says_of_each_picture_that_it_did_not_look(
    tmp_path: Path,
) -> None:
    with amazon() as cloud:
        tree = {**tree_of(cloud), "aws": {}}
        here = core(tmp_path, tree)
        asks = Asking(here, build(here.parts))
        try:
            said = asks.bought(jpeg())
            assert not said.analyzed and "set aws.access_key_id" in said.reason
            about = asks.service.about()
            assert not about["ok"] and "set aws.access_key_id" in about["summary"]
        finally:
            asks.close()
        assert cloud.asked == {}


def test_switched_off_it_does_nothing(tmp_path: Path) -> None:
    here = core(tmp_path)
    try:
        service = build(here.parts)
        assert service.handlers == {} and "switched off" in service.about()["summary"]
    finally:
        here.close()
