"""`task model`: takes and checks models, and leaves nothing half done."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.detector import model as command
from services.detector.engines.choose import choose
from services.detector.engines.engine import EngineUnavailable
from services.detector.model_file import read_model_file
from shared.settings.detector import DetectorSection
from tests.support.networks import colour_network


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").mkdir()
    return colour_network(tmp_path / "source")


@pytest.mark.promise("feat E5")
def test_an_export_is_taken_checked_recorded_and_ready_for_every_engine(folder, source, capsys):
    assert command.main(["--folder", str(folder), "--model", str(source)]) == 0
    told = capsys.readouterr().out
    for name in ("colours.onnx", "colours.xml"):
        assert str(folder / name) in told
        described = read_model_file(folder / name)
        assert described.recorded
        assert described.labels == ("red", "blue")
    assert json.loads((folder / "colours.onnx.json").read_text())["origin"] == "given"
    assert choose(DetectorSection(models=folder)).model.parent == folder


def test_taking_the_same_or_a_newer_model_again_is_harmless(folder, source):
    command.prepare(folder, source)
    command.prepare(folder, folder / source.name)
    newer = colour_network(source.parent, width=640)
    made = command.prepare(folder, newer)
    assert read_model_file(folder / "colours.onnx").sha256 == made[0].sha256


def test_what_does_not_run_is_not_taken(folder, source, capsys):
    source.write_bytes(source.read_bytes()[:300])
    assert command.main(["--folder", str(folder), "--model", str(source)]) == 1
    assert "colours.onnx" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.promise("sec L2")
def test_weights_of_unknown_hash_are_not_taken_without_consent(folder, tmp_path, capsys):
    weights = tmp_path / "yolov8n.pt"
    weights.write_bytes(b"cposix\nsystem\n(S'touch owned'\ntR.")
    assert command.main(["--folder", str(folder), "--model", str(weights)]) == 1
    assert "CONSENT=yes" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["model.h5", "missing.onnx"])
def test_other_and_missing_files_are_refused_by_name(folder, tmp_path, name):
    with pytest.raises(EngineUnavailable, match=name):
        command.prepare(folder, tmp_path / name)


@pytest.fixture
def impostor(monkeypatch):
    """A server that answers with something else than YOLOv8n."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "15")
            self.end_headers()
            self.wfile.write(b"not the weights")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(command, "YOLOV8N_URL", f"http://127.0.0.1:{server.server_port}/yolov8n.pt")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.promise("sec L2")
def test_a_download_of_another_hash_is_thrown_away(folder, impostor):
    with pytest.raises(EngineUnavailable, match="is not YOLOv8n"):
        command.prepare(folder)
    assert list(folder.iterdir()) == []


def test_a_failed_download_says_what_to_do(folder, monkeypatch):
    monkeypatch.setattr(command, "YOLOV8N_URL", "http://127.0.0.1:9/yolov8n.pt")
    with pytest.raises(EngineUnavailable, match="task model MODEL=path/to"):
        command.prepare(folder)
    assert list(folder.iterdir()) == []


def test_without_ultralytics_weights_wait_with_the_command_that_installs_it(
    folder, tmp_path, monkeypatch
):
    from services.detector.engines import ultralytics

    weights = tmp_path / "mine.pt"
    weights.write_bytes(b"anything")

    def missing(*_):
        raise EngineUnavailable("ultralytics is not installed here; " + ultralytics.INSTALL)

    monkeypatch.setattr(ultralytics, "export_onnx", missing)
    with pytest.raises(EngineUnavailable, match=r"\./taskw yolo"):
        command.prepare(folder, weights, consent=True)
    assert (folder / "mine.pt").exists()


@pytest.mark.promise("find O7", "feat E5")
def test_a_download_shows_its_progress_on_a_terminal_and_is_checked_by_its_hash(
    folder, source, impostor, monkeypatch, capsys
):
    monkeypatch.setattr(command, "YOLOV8N_SHA256", {hashlib.sha256(b"not the weights").hexdigest()})
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    folder.mkdir()

    assert command._obtain(folder).read_bytes() == b"not the weights"

    assert capsys.readouterr().err.endswith(f"[{'#' * 30}] 0.0 MB of 0.0 MB\n")
    assert [each.name for each in folder.iterdir()] == ["yolov8n.pt"]
