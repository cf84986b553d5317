"""What is generated is as the code says, and the shipped configuration fits it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from shared.admin import reference
from shared.events import EVENTS
from shared.settings import Settings, load
from shared.settings.section import Section

ROOT = Path(__file__).parents[2]


def test_the_files_in_the_repository_are_not_stale(capsys):
    assert reference.main(["--check", f"--root={ROOT}"]) == 0, capsys.readouterr().out


def test_a_stale_file_is_named_and_written_again(tmp_path: Path, capsys):
    assert reference.main([f"--root={tmp_path}"]) == 0
    page = tmp_path / "docs/ref/events.md"
    page.write_text("old")
    assert reference.main(["--check", f"--root={tmp_path}"]) == 1
    assert "docs/ref/events.md is stale" in capsys.readouterr().out
    assert page.read_text() == "old"
    reference.main([f"--root={tmp_path}"])
    assert reference.main(["--check", f"--root={tmp_path}"]) == 0


@pytest.mark.parametrize("name", ["snapbus.yml", "demo.yml"])
def test_the_shipped_configurations_work_as_they_are(name: str, tmp_path: Path):
    path = ROOT / "config" / name
    load(path, environ={}, secrets=tmp_path)
    known = json.loads(reference.config_schema())["properties"]
    assert set(yaml.safe_load(path.read_text())) <= set(known)


def test_the_examples_in_the_comments_of_the_configuration_work(tmp_path: Path):
    text = (ROOT / "config" / "snapbus.yml").read_text().replace("cameras: {}", "cameras:")
    lines = [line[1:] if line.startswith("#  ") else line for line in text.splitlines()]
    path = tmp_path / "snapbus.yml"
    path.write_text("\n".join(lines))
    settings = load(path, environ={}, secrets=tmp_path)
    assert sorted(settings.cameras) == ["gate", "porch", "shed", "yard"]


def test_every_setting_and_every_event_is_told():
    page = reference.config_page()
    for section in set(Section.__subclasses__()) - {Settings}:
        for name in section.model_fields:
            told = (f"| `{name}` |", f".{name}`", f".{name}.<name>`")
            assert any(each in page for each in told), name
    for topic, model in EVENTS.items():
        assert f"## `{topic}`" in reference.events_page()
        assert model.__name__ in json.loads(reference.asyncapi())["components"]["messages"]


def test_all_references_of_the_asyncapi_document_lead_somewhere():
    document = json.loads(reference.asyncapi())

    def walk(node) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                found = document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    found = found[step]
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(document)
