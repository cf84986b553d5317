"""A running detector takes a new model by itself; one that does not run takes no place."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.detector.analyst import Analyst
from services.detector.current import Current
from services.detector.engines.choose import candidates, choose
from services.detector.engines.engine import EngineUnavailable
from shared.events import SnapshotAnalyzed
from shared.settings import load
from shared.settings.detector import DetectorSection
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.networks import colour_network, squares
from tests.support.pictures import png
from tests.support.system import ROOT
from tests.unit.test_detector import _image, taken


@contextmanager
def running(folder: Path, store, **settings) -> Iterator[tuple[Current, Analyst]]:
    section = DetectorSection(models=folder / "models", engine="onnx", streams=1, **settings)
    current = Current(section, folder / "data", look_s=0.05)
    analyst = Analyst(store, current.engine, reason=current.why)
    current.feed(analyst)
    stop = Stop()
    thread = threading.Thread(target=current.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield current, analyst
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def seen(analyst: Analyst, store) -> SnapshotAnalyzed:
    picture = png(_image(squares(red=(3, 4))))
    (event,) = analyst(taken(store, picture))
    return event.parsed(SnapshotAnalyzed)


@pytest.mark.promise("find O7")
def test_a_model_that_comes_while_it_runs_is_taken_without_a_restart(
    tmp_path: Path, models: Path, store
):
    with running(tmp_path, store) as (current, analyst):
        assert not seen(analyst, store).analyzed
        assert (current.about()["ok"], current.about()["offer"]) == (False, "./taskw model")

        colour_network(models)

        eventually(lambda: current.engine, timeout=20)
        found = seen(analyst, store)
        assert (found.analyzed, [each.label for each in found.detections]) == (True, ["red"])
        assert current.about()["ok"] is True


@pytest.mark.promise("find O7", "fault D6")
def test_a_model_that_does_not_run_takes_no_place_and_a_good_one_does(
    tmp_path: Path, models: Path, store
):
    good = colour_network(models)
    whole = good.read_bytes()
    with running(tmp_path, store) as (current, analyst):
        first = seen(analyst, store).model_sha256

        good.write_bytes(whole[:300])
        eventually(lambda: current.about()["ok"] is False, timeout=20)
        assert "the new model is not taken" in current.about()["summary"]
        assert seen(analyst, store).model_sha256 == first

        newer = colour_network(tmp_path, width=640)
        shutil.copy(newer, good)
        eventually(lambda: seen(analyst, store).model_sha256 != first, timeout=20)
        assert current.about()["ok"] is True


@pytest.mark.promise("feat E5")
def test_a_model_is_chosen_by_name_and_its_absence_says_what_to_run(tmp_path: Path, models: Path):
    colour_network(models)
    shutil.copy(models / "colours.onnx", models / "yolov8n.onnx")

    def section(name: str) -> DetectorSection:
        return DetectorSection(models=models, model=name, engine="onnx")

    assert choose(section("colours")).model == models / "colours.onnx"
    assert choose(section("yolov8n")).model == models / "yolov8n.onnx"
    assert candidates(section(str(models / "colours.onnx"))) == [models / "colours.onnx"]
    with pytest.raises(
        EngineUnavailable, match=r"no model yolov8s in .*MODEL=path/to/yolov8s.onnx"
    ):
        choose(section("yolov8s"))
    (models / "yolov8n.onnx").unlink()
    with pytest.raises(EngineUnavailable, match="run `task model`"):
        choose(section("yolov8n"))


@pytest.mark.promise("feat E5")
@pytest.mark.parametrize("said", ["yolov8n", "yolov8n.pt"])
def test_the_name_of_older_programs_is_one(said: str):
    settings = load(ROOT / "config/snapbus.yml", {"OBJECT_DETECTION_MODEL": said})
    assert str(settings.detector.model) == "yolov8n"
