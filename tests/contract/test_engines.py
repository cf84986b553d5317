"""What every engine must do, run for each that reads ONNX on a network whose answer is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.detector.analyst import Analyst
from services.detector.engines import openvino
from services.detector.engines.choose import Choice, open_engine
from services.detector.engines.engine import Engine, EngineUnavailable
from services.detector.model import prepare
from services.simulator.scenes import Scene
from shared.events import SnapshotAnalyzed
from shared.settings.detector import DetectorSection
from shared.store import Store
from tests.support.making import taken_of
from tests.support.networks import CELL, LABELS, colour_network, squares
from tests.support.parity import differences, overlap
from tests.support.pictures import png

FORMS = ["onnx .onnx", "openvino .onnx", "openvino .xml"]


def engine_for(form: str, folder: Path, **settings) -> Engine:
    name, suffix = form.split()
    model = colour_network(folder)
    if suffix == ".xml":
        prepare(folder, model)
    section = DetectorSection(**({"streams": 2, "precision": "f32"} | settings))
    return open_engine(Choice(name, model.with_suffix(suffix), ""), section, folder)


@pytest.fixture(params=FORMS)
def engine(request, tmp_path) -> Engine:
    return engine_for(request.param, tmp_path)


def seen(engine: Engine, pixels: np.ndarray) -> list:
    height, width = pixels.shape[:2]
    return [
        (d.label, d.confidence, tuple(np.multiply(d.box, (width, height, width, height))))
        for d in engine.detect(pixels).detections
    ]


def box(column: int, row: int, scale: float = 1.0) -> tuple[float, ...]:
    return tuple(scale * CELL * side for side in (column, row, column + 1, row + 1))


def test_it_knows_its_model(engine):
    assert engine.labels == LABELS
    assert engine.size == (320, 320)
    assert engine.model.startswith("colours.")
    assert len(engine.model_sha256) == 64
    assert engine.name in engine.detail.lower().replace(" runtime", "")


def test_an_empty_scene_has_no_detections(engine):
    assert engine.detect(squares()).detections == ()


@pytest.mark.promise("feat E1")
def test_it_sees_what_is_there_where_it_is(engine):
    found = seen(engine, squares(red=(2, 7), blue=(5, 1), green=(8, 8)))
    assert not differences([("red", 0.99, box(2, 7)), ("blue", 0.99, box(5, 1))], found)
    assert len(found) == 2


@pytest.mark.promise("feat E1", "feat E7")
def test_the_service_tells_confidences_and_boxes_of_a_stored_picture(engine, tmp_path):
    store = Store(tmp_path / "store")
    store.create()
    pixels = squares(320, 256, red=(2, 7), blue=(9, 0)).repeat(2, axis=0).repeat(2, axis=1)
    part = store.receive(10**6)
    part.write(png(Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))))
    blob = part.commit()

    (event,) = Analyst(store, engine)(taken_of(blob.sha256, blob.size))

    told = SnapshotAnalyzed.model_validate(event.data)
    assert (told.analyzed, told.engine, told.model) == (True, engine.name, engine.model)
    assert (told.width, told.height) == (640, 512)
    found = {each.label: each for each in told.detections}
    assert found.keys() == {"red", "blue"} and len(told.detections) == 2
    for label, column, row in (("red", 2, 7), ("blue", 9, 0)):
        expected = (column / 10, row / 8, (column + 1) / 10, (row + 1) / 8)
        assert found[label].box == pytest.approx(expected, abs=0.03)
        assert 0.8 < found[label].confidence <= 1


def test_boxes_are_fractions_of_the_picture_whatever_its_size_and_shape(engine):
    tall = np.vstack([squares(red=(2, 7)), squares()])  # 320×640, scaled by half into the input
    large = tall.repeat(2, axis=0).repeat(2, axis=1)
    pixels = squares(red=(4, 4)).repeat(3, axis=0).repeat(3, axis=1)
    assert not differences([("red", 0.9, box(4, 4, 3))], seen(engine, pixels))
    for picture in (tall, large):
        for detection in engine.detect(picture).detections:
            assert all(0 <= side <= 1 for side in detection.box)
            assert abs(detection.box[1] - 7 / 20) < 0.06


def test_exchanged_channels_are_noticed(engine):
    picture = squares(red=(2, 7), blue=(5, 1))
    assert differences(seen(engine, picture), seen(engine, picture[:, :, ::-1].copy()))


def test_it_says_how_long_each_step_took(engine):
    spent = engine.detect(squares(red=(1, 1))).milliseconds
    assert set(spent) == {"letterbox", "infer", "nms"}
    assert all(value >= 0 for value in spent.values())


def test_many_threads_get_their_own_answers(engine):
    places = [(column, row) for column in range(10) for row in range(10)]

    def right(place: tuple[int, int]) -> bool:
        found = seen(engine, squares(red=place))
        return not differences([("red", 0.9, box(*place))], found) and len(found) == 1

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(right, places * 3))


@pytest.mark.promise("feat E25")
@pytest.mark.parametrize("form", FORMS)
def test_what_is_less_sure_than_wanted_is_not_told(form, tmp_path):
    engine = engine_for(form, tmp_path, confidence=0.9)
    pale = squares(red=(2, 7))
    pale[pale[:, :, 1] == 0] = (60, 60, 255)
    assert engine.detect(pale).detections == ()
    assert len(engine.detect(squares(red=(2, 7))).detections) == 1


@pytest.mark.parametrize("form", FORMS[:2])
@pytest.mark.promise("fault D6")
def test_a_damaged_model_is_refused_with_its_name(form, tmp_path):
    model = colour_network(tmp_path)
    model.write_bytes(model.read_bytes()[:500])
    with pytest.raises(EngineUnavailable, match=r"colours\.onnx"):
        open_engine(Choice(form.split()[0], model, ""), DetectorSection(), tmp_path)


@pytest.mark.parametrize("form", FORMS[:2])
def test_a_network_of_another_layout_is_refused(form, tmp_path):
    model = colour_network(tmp_path, rows=4)
    with pytest.raises(EngineUnavailable, match="output"):
        open_engine(Choice(form.split()[0], model, ""), DetectorSection(), tmp_path)


@pytest.mark.parametrize("form", FORMS[:2])
def test_a_network_without_names_numbers_its_labels(form, tmp_path):
    model = colour_network(tmp_path, named=False)
    engine = open_engine(Choice(form.split()[0], model, ""), DetectorSection(), tmp_path)
    assert [d.label for d in engine.detect(squares(blue=(1, 1))).detections] == ["class 1"]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that OpenVINO compiled, each time."""
    times: list[str] = []
    compile_it = openvino._Loader._compile

    def counted(self, options):
        times.append(self._file.name)
        return compile_it(self, options)

    monkeypatch.setattr(openvino._Loader, "_compile", counted)
    return times


@pytest.mark.parametrize("form", FORMS[1:])
def test_a_second_start_takes_the_network_that_the_first_compiled(form, tmp_path, compiled):
    picture = squares(red=(2, 7), blue=(1, 1))
    first = seen(engine_for(form, tmp_path), picture)
    assert first and len(list(tmp_path.glob("openvino/*"))) == 1
    compiled.clear()
    model = (tmp_path / "colours.onnx").with_suffix(form.split()[1])
    settings = DetectorSection(streams=2, precision="f32")
    assert seen(open_engine(Choice("openvino", model, ""), settings, tmp_path), picture) == first
    assert compiled == []
    settings = DetectorSection(streams=2, precision="auto")
    open_engine(Choice("openvino", model, ""), settings, tmp_path)
    assert compiled == [model.name]
    (tmp_path / "other").mkdir()
    model = colour_network(tmp_path / "other", named=False)
    open_engine(Choice("openvino", model, ""), settings, tmp_path)
    assert len(compiled) == 2


@pytest.mark.parametrize("harm", ["cut off", "changed", "of another version", "not to be written"])
def test_a_kept_network_that_is_not_whole_is_compiled_anew(harm, tmp_path, compiled, monkeypatch):
    engine_for("openvino .onnx", tmp_path)
    (kept,) = tmp_path.glob("openvino/*")
    whole = kept.read_bytes()
    if harm == "cut off":
        kept.write_bytes(whole[: len(whole) // 2])
    elif harm == "changed":
        kept.write_bytes(whole[:-100] + bytes(100))
    elif harm == "of another version":
        monkeypatch.setattr("openvino.__version__", "2099.1")
    else:
        kept.unlink()
        kept.mkdir()
    found = seen(engine_for("openvino .onnx", tmp_path), squares(red=(2, 7)))
    assert len(found) == 1 and len(compiled) == 2
    assert len(list(tmp_path.glob("openvino/*"))) == 1


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_the_demo_model_finds_the_figures_of_drawn_scenes(name, tmp_path):
    model = Path(__file__).parents[2] / "services/simulator/figures.onnx"
    engine = open_engine(Choice(name, model, ""), DetectorSection(streams=1), tmp_path)
    scene = Scene("porch", hour=13)
    wanted = found = 0
    for minute in range(0, 60, 3):
        drawn = scene.at(datetime(2026, 6, 1, 13, minute, 10, tzinfo=UTC))
        truth = [f for f in drawn.figures if f.label == "person" and f.visible > 0.7]
        rgb = np.asarray(drawn.image.convert("RGB"))
        people = [b for label, _, b in seen(engine, rgb[:, :, ::-1].copy()) if label == "person"]
        wanted += len(truth)
        found += sum(any(overlap(f.box, b) > 0.5 for b in people) for f in truth)
    assert wanted >= 3
    assert found >= 0.8 * wanted
