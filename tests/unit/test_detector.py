"""The detector service: what it says of each picture, with an engine and without."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from services.detector.analyst import MOST_REPORTED, Analyst
from services.detector.app import build
from services.detector.engines.engine import DetectionResult, EngineFailed
from shared.envelope import MAX_BYTES, encode
from shared.errors import Reject, Retry, SnapshotMissing
from shared.events import Detection, Event, SnapshotAnalyzed, SnapshotTaken, now
from shared.service import Context
from shared.settings import Settings
from shared.settings.detector import DetectorSection
from shared.store import Store
from tests.support.fakes import eventually
from tests.support.networks import colour_network, squares
from tests.support.pictures import damaged, jpeg, png, scene, with_orientation


class FakeEngine:
    """Sees what it is told to, and keeps the shapes of what it was shown."""

    name, model, model_sha256, labels, detail = "fake", "fake.onnx", "0" * 64, ("cat",), "fake"
    size = (640, 640)

    def __init__(self, *detections: Detection, error: Exception | None = None) -> None:
        self.detections, self.error = detections, error
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, pixels):
        self.shapes.append(pixels.shape)
        if self.error:
            raise self.error
        return DetectionResult(self.detections, {"letterbox": 0.1, "infer": 2.0, "nms": 0.1})


CAT = Detection(label="cat", confidence=0.9, box=(0.1, 0.2, 0.3, 0.4))


def taken(store: Store, data: bytes, sha256: str = "") -> Event:
    part = store.receive(10**8)
    part.write(data)
    blob = part.commit()
    return SnapshotTaken(
        camera="porch",
        door="ftp",
        sha256=sha256 or blob.sha256,
        size=blob.size,
        media_type="image/jpeg",
        captured_at=now(),
        received_at=now(),
    ).event(subject="porch", cause="test", snapshot_id="01SNAPSHOT")


def said(event: Event) -> SnapshotAnalyzed:
    assert event.topic == "snapshot.analyzed"
    return SnapshotAnalyzed.model_validate(event.data)


def test_a_sound_picture_is_analysed_and_every_step_timed(store):
    (event,) = Analyst(store, FakeEngine(CAT))(taken(store, jpeg()))
    found = said(event)
    assert found.analyzed
    assert found.detections == (CAT,)
    assert (found.engine, found.model, found.model_sha256) == ("fake", "fake.onnx", "0" * 64)
    assert (found.width, found.height) == (320, 240)
    assert list(found.milliseconds) == ["decode", "letterbox", "infer", "nms"]
    assert (event.subject, event.snapshot_id) == ("porch", "01SNAPSHOT")


@pytest.mark.promise("fault D5")
def test_the_same_event_twice_makes_the_same_event(store):
    analyst, event = Analyst(store, FakeEngine(CAT)), taken(store, jpeg())
    assert analyst(event)[0].id == analyst(event)[0].id


@pytest.mark.promise("fault D8")
def test_a_damaged_picture_is_rejected_and_never_shown_to_the_engine(store):
    engine = FakeEngine(CAT)
    analyst = Analyst(store, engine)
    for data in damaged(jpeg()).values():
        (event,) = analyst(taken(store, data))
        assert event.topic == "snapshot.rejected"
        assert event.data["reason"]
    assert engine.shapes == []
    (event,) = analyst(taken(store, jpeg()))
    assert event.topic == "snapshot.analyzed"
    assert analyst.counts()["rejected"] == 6


def test_nothing_found_is_said_as_analysed(store):
    (event,) = Analyst(store, FakeEngine())(taken(store, png()))
    assert said(event).analyzed
    assert said(event).detections == ()


def test_without_an_engine_pictures_are_checked_and_not_called_empty(store):
    analyst = Analyst(store, None, reason="no model; run `task model`")
    (event,) = analyst(taken(store, jpeg()))
    found = said(event)
    assert not found.analyzed
    assert found.reason == "no model; run `task model`"
    assert (found.width, found.engine) == (320, "")
    (event,) = analyst(taken(store, damaged(jpeg())["flipped bytes"]))
    assert event.topic == "snapshot.rejected"


def test_engines_see_pictures_upright_and_no_larger_than_they_need(store):
    engine = FakeEngine()
    Analyst(store, engine)(taken(store, with_orientation(scene(1400, 700), 6)))
    Analyst(store, engine, fast=False)(taken(store, with_orientation(scene(1400, 700), 6)))
    assert engine.shapes == [(700, 350, 3), (1400, 700, 3)]


@pytest.mark.promise("fault D4")
def test_a_missing_picture_is_tried_again_and_a_changed_one_is_not(store):
    analyst = Analyst(store, FakeEngine())
    with pytest.raises(SnapshotMissing, match="no file"):
        analyst(taken(store, jpeg(), sha256="ab" * 32))
    event = taken(store, jpeg())
    store.path(event.data["sha256"]).write_bytes(jpeg(quality=50))
    with pytest.raises(Reject, match="no longer has this hash"):
        analyst(event)


@pytest.mark.promise("fault D6")
def test_a_failing_engine_means_try_again_and_never_nothing_found(store):
    analyst = Analyst(store, FakeEngine(error=EngineFailed("out of memory")))
    with pytest.raises(Retry, match="out of memory"):
        analyst(taken(store, jpeg()))
    assert analyst.counts()["analyzed"] == 0


def test_a_crowd_still_fits_into_one_message(store):
    crowd = [
        CAT.model_copy(update={"label": "n" * 64, "box": (0.12345, 0.23456, 0.34567, 0.45678)})
    ] * 300
    (event,) = Analyst(store, FakeEngine(*crowd))(taken(store, jpeg()))
    assert len(said(event).detections) == MOST_REPORTED
    assert len(encode(event)) < MAX_BYTES


def test_no_more_pictures_are_analysed_together_than_there_are_streams(store):
    inside: list[int] = []
    leave = threading.Event()

    class Slow(FakeEngine):
        def detect(self, pixels):
            inside.append(1)
            assert leave.wait(10)
            return super().detect(pixels)

    analyst, event = Analyst(store, Slow(), at_a_time=2), taken(store, jpeg())
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(analyst, event) for _ in range(4)]
        eventually(lambda: len(inside) == 2)
        assert not leave.wait(0.3)  # long enough to begin what must not be begun
        assert len(inside) == 2
        leave.set()
        assert all(answer.result() for answer in answers)


def service(store: Store, tmp_path, **detector):
    settings = Settings(data=tmp_path, detector=DetectorSection(**detector))
    return build(cast(Context, SimpleNamespace(settings=settings, store=store)))


@pytest.mark.promise("fault D6")
def test_without_a_model_the_service_runs_and_says_so(store, tmp_path):
    built = service(store, tmp_path, models=tmp_path / "none")
    assert built.about()["ok"] is False
    assert "task model" in built.about()["summary"]
    (event,) = built.handlers["snapshot.taken"](taken(store, jpeg()))
    assert not said(event).analyzed
    assert "task model" in said(event).reason


@pytest.mark.promise("feat E4")
def test_detection_can_be_switched_off(store, tmp_path):
    built = service(store, tmp_path, enabled=False)
    assert built.about()["ok"] is True
    (event,) = built.handlers["snapshot.taken"](taken(store, jpeg()))
    assert "switched off" in said(event).reason


@pytest.mark.promise("feat E5")
def test_a_model_is_chosen_by_the_settings_and_used_by_as_many_workers_as_streams(store, tmp_path):
    model = colour_network(tmp_path)
    built = service(store, tmp_path, model=model, streams=3)
    about = built.about()
    assert (about["streams"], built.workers) == (3, 4)  # one commits while the others analyse
    assert about["ok"] and about["model"] == "colours.onnx" and about["engine"] == "openvino"
    picture = squares(red=(3, 4))
    (event,) = built.handlers["snapshot.taken"](taken(store, png(_image(picture))))
    assert [d.label for d in said(event).detections] == ["red"]
    assert built.about()["analyzed"] == 1


def _image(pixels: np.ndarray):
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))


def person(confidence: float, label: str = "person") -> Detection:
    return CAT.model_copy(update={"label": label, "confidence": confidence})


@pytest.mark.promise("feat E6", "feat E8", "find D13")
@pytest.mark.parametrize(
    ("found", "people", "labels"),
    [
        ([], 0, {}),
        ([CAT, CAT], 0, {"cat": 2}),
        ([person(0.79)], 0, {"person": 1}),
        ([person(0.8)], 1, {"person": 1}),
        ([person(0.9), person(0.81), person(0.3), CAT], 2, {"person": 3, "cat": 1}),
        ([person(0.99, "Human")], 1, {"Human": 1}),
    ],
)
def test_people_and_labels_are_counted_and_a_human_is_seen_from_a_confidence_on(
    store, found: list[Detection], people: int, labels: dict[str, int]
):
    assert DetectorSection().person_confidence == 0.8  # MINIMUM_HUMAN_CONFIDENCE of old

    (event,) = Analyst(store, FakeEngine(*found))(taken(store, jpeg()))

    counts = said(event)
    assert (counts.person_count, counts.human_seen) == (people, people > 0)
    assert counts.label_counts == labels


@pytest.mark.promise("feat E6", "feat E25")
def test_how_sure_a_person_must_be_is_set(store):
    (event,) = Analyst(store, FakeEngine(person(0.5)), person_confidence=0.5)(taken(store, jpeg()))
    assert said(event).human_seen is True


@pytest.mark.promise("find D13")
def test_what_was_not_analysed_counts_nobody_and_does_not_say_that_nobody_was_there(store):
    (event,) = Analyst(store, None, reason="no model")(taken(store, jpeg()))
    assert not event.data.keys() & {"person_count", "human_seen", "label_counts"}


@pytest.mark.promise("find D13")
def test_things_beyond_those_reported_are_counted(store):
    (event,) = Analyst(store, FakeEngine(*[CAT] * 250))(taken(store, jpeg()))
    assert said(event).label_counts == {"cat": 250}
