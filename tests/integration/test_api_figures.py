"""Figures of cameras for Prometheus; the alerts and the dashboard ask only for what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.events import CameraFailed, now
from tests.support.api import PERSON, Api, running_api
from tests.support.fakes import eventually
from tests.support.system import ROOT

ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/snapbus.json"
NAME = re.compile(r"\bsnapbus_\w+")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as server:
        yield server


def promtool(*words: str, cwd: Path = ROOT, given: bytes = b"") -> str:
    done = subprocess.run(["promtool", *words], cwd=cwd, input=given, capture_output=True)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


def figures(api: Api) -> dict[str, float]:
    lines = api.ask("/metrics").body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def fail(api: Api, camera: str) -> None:
    failed = CameraFailed(camera=camera, reason="it does not answer")
    api.context.record([failed.event(subject=camera, cause=f"failed {camera} {now()}")])


@pytest.mark.promise("find Q4")
def test_each_camera_tells_its_last_picture_and_its_failures(api):
    def figure(name: str, camera: str) -> float | None:
        return figures(api).get(f'snapbus_camera_{name}{{camera="{camera}"}}')

    assert figure("failing", "porch") == 0
    assert figure("last_snapshot_timestamp_seconds", "porch") is None
    before = now().timestamp()
    taken = api.take("porch")
    shown = figure("last_snapshot_timestamp_seconds", "porch")
    assert shown is not None and before - 1 < shown < now().timestamp() + 1
    fail(api, "porch")
    fail(api, "a name that only a request knows")
    eventually(lambda: figure("failures_total", "porch") == 1)
    assert figure("failing", "porch") == 1
    failed = figure("last_failure_timestamp_seconds", "porch")
    assert failed is not None and failed >= taken.time.timestamp()
    assert figure("failing", "street") == 0
    assert "only a request" not in api.ask("/metrics").body.decode()
    api.take("porch")
    eventually(lambda: figure("failing", "porch") == 0)


@pytest.mark.promise("find Q4")
def test_the_alerts_fire_when_they_should_and_no_sooner(tmp_path: Path):
    promtool("check", "rules", str(ALERTS))
    shutil.copy(ALERTS, tmp_path)
    shutil.copy(ROOT / "tests/data/alerts.test.yml", tmp_path)
    promtool("test", "rules", "alerts.test.yml", cwd=tmp_path)
    shutil.copy(ROOT / "deploy/prometheus/prometheus.yml", tmp_path)
    (tmp_path / "snapbus.key").write_text("key")
    promtool("check", "config", "prometheus.yml", cwd=tmp_path)


def panel_queries() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [each.replace("$__rate_interval", "5m").replace("$camera", ".*") for each in found]


@pytest.mark.promise("find Q4")
def test_dashboard_and_alerts_ask_for_figures_that_there_are(api, tmp_path: Path):
    api.archive(api.analyze(api.take("porch"), PERSON))
    fail(api, "porch")
    eventually(lambda: 'failures_total{camera="porch"}' in api.ask("/metrics").body.decode())
    there_are = {name.partition("{")[0] for name in figures(api)}

    queries = panel_queries()
    assert len(queries) >= 12
    rules: Any = yaml.safe_load(ALERTS.read_text())
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
    asked = [*queries, *alerts, *(str(each.get("definition")) for each in variables)]
    assert {name for query in asked for name in NAME.findall(query)} - there_are == set()
    recorded = [{"record": f"panel:{number}", "expr": e} for number, e in enumerate(queries)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    promtool("check", "rules", str(file))
