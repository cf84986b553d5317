"""What is known of model files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.detector.engines.engine import EngineUnavailable
from services.detector.model_file import hash_of, read_model_file, record_path, write_record
from services.detector.trusted import YOLOV8N_SHA256, check_trusted
from tests.support.networks import LABELS, colour_network


def test_an_onnx_file_describes_itself(tmp_path):
    described = read_model_file(colour_network(tmp_path))
    assert (described.labels, described.size, described.stride, described.recorded) == (
        LABELS,
        320,
        32,
        False,
    )
    assert described.sha256 == hash_of(described.path)


@pytest.mark.promise("fault D6")
def test_a_model_that_changed_since_it_was_recorded_is_refused(tmp_path):
    described = read_model_file(colour_network(tmp_path))
    write_record(described, origin="given")
    assert read_model_file(described.path).recorded
    with described.path.open("r+b") as file:
        file.seek(200)
        file.write(b"\x01")
    with pytest.raises(EngineUnavailable, match=r"not the file that `task model` recorded"):
        read_model_file(described.path)
    assert not read_model_file(described.path, pinned=False).recorded


def test_a_missing_model_says_what_to_do(tmp_path):
    with pytest.raises(EngineUnavailable, match="task model"):
        read_model_file(tmp_path / "none.onnx")


@pytest.mark.parametrize("text", ["", "[]", '"x"', "{", "\x00"])
def test_a_damaged_record_is_refused(tmp_path, text):
    model = colour_network(tmp_path)
    record_path(model).write_text(text)
    with pytest.raises(EngineUnavailable, match=r"colours\.onnx\.json"):
        read_model_file(model)


def test_records_give_labels_to_forms_that_have_none(tmp_path):
    model = tmp_path / "net.xml"
    model.write_text("<net/>")
    model.with_suffix(".bin").write_bytes(b"weights")
    before = read_model_file(model)
    assert before.labels == ()
    record = {"sha256": before.sha256, "labels": ["cat", "d" * 200], "size": 320, "stride": 16}
    record_path(model).write_text(json.dumps(record))
    described = read_model_file(model)
    assert described.labels == ("cat", "d" * 64)
    assert (described.size, described.stride) == (320, 16)
    model.with_suffix(".bin").write_bytes(b"weightz")
    with pytest.raises(EngineUnavailable):
        read_model_file(model)


@given(data=st.binary(max_size=200))
def test_no_bytes_make_reading_a_card_fail_otherwise(data):
    with TemporaryDirectory() as folder:
        model = Path(folder) / "x.onnx"
        model.write_bytes(data)
        try:
            read_model_file(model)
        except EngineUnavailable as error:
            assert "x.onnx" in str(error)


@pytest.mark.promise("sec L2")
def test_unknown_weights_are_not_loaded_before_somebody_agreed(tmp_path):
    weights = tmp_path / "yolov8n.pt"
    weights.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    described = read_model_file(weights)
    with pytest.raises(EngineUnavailable, match="CONSENT=yes"):
        check_trusted(described)
    write_record(described, origin="agreed to")
    check_trusted(read_model_file(weights))


def test_known_hashes_are_hashes():
    assert all(len(known) == 64 and int(known, 16) for known in YOLOV8N_SHA256)
