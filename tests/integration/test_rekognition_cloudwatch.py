"""Figures for CloudWatch, sent by the same client to a server that keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from services.rekognition.app import build
from services.rekognition.cloudwatch import Figures
from shared.aws.client import Client
from shared.events import CameraFailed, now
from shared.service import Service
from tests.support.making import Core, core
from tests.support.moto import KEY, KEY_ID, MotoServer, account
from tests.support.recording import catalogue, rejected


def failed(number: int) -> Any:
    data = CameraFailed(camera="porch", reason="it does not answer")
    return data.event(subject="porch", cause=f"request {number}")


@pytest.fixture
def namespace() -> str:
    return f"house/{ULID()}"


@pytest.fixture
def here(tmp_path: Path, moto: MotoServer, namespace: str) -> Iterator[Core]:
    section = {"enabled": True, "namespace": namespace, "endpoint": moto.url}
    tree = {
        "cloudwatch": section,
        "aws": {"access_key_id": KEY_ID, "secret_access_key": KEY, "region": "eu-west-1"},
        "legacy": {"device_name": "hut"},
    }
    here = core(tmp_path, tree)
    yield here
    here.close()


def figures_of(service: Service) -> Figures:
    (source,) = service.sources
    assert isinstance(source, Figures)
    return source


@pytest.mark.promise("feat J4")
def test_figures_arrive_in_the_namespace_with_program_and_device(
    here: Core, moto: MotoServer, namespace: str
) -> None:
    service = build(here.parts)
    figures = figures_of(service)
    figures.send()
    here.journal.append([failed(1), failed(2)])
    for number in (1, 2):
        catalogue(here.journal, number)
    third = catalogue(here.journal, 3)
    here.journal.finish("detector", third, [rejected(third)])
    figures.send()
    figures.send()
    assert figures.trouble == "" and service.about()["ok"]

    asks = Client("cloudwatch", account(moto.url), region="eu-west-1")
    try:
        listed = asks.call("list_metrics", Namespace=namespace)["Metrics"]
        assert {each["MetricName"] for each in listed} == {
            "Errors", "Snapshots", "Unfinished", "OldestUnfinished", "Dead",
        }  # fmt: skip
        dimensions = {each["Name"]: each["Value"] for each in listed[0]["Dimensions"]}
        assert dimensions == {"Application": "snapbus", "Device": "hut"}
        sums = {name: total(asks, namespace, name) for name in ("Errors", "Snapshots")}
        assert sums == {"Errors": 3.0, "Snapshots": 3.0}
    finally:
        asks.close()
        service.close()


def total(asks: Client, namespace: str, name: str) -> float:
    found = asks.call(
        "get_metric_statistics",
        Namespace=namespace,
        MetricName=name,
        Dimensions=[
            {"Name": "Application", "Value": "snapbus"},
            {"Name": "Device", "Value": "hut"},
        ],
        StartTime=now() - timedelta(hours=1),
        EndTime=now() + timedelta(hours=1),
        Period=86_400,
        Statistics=["Sum"],
    )
    return float(sum(each["Sum"] for each in found["Datapoints"]))


@pytest.mark.promise("feat J4")
def test_what_could_not_be_sent_counts_once_it_can(here: Core, namespace: str) -> None:
    service = build(here.parts)
    figures = figures_of(service)
    figures.send()
    here.journal.append([failed(1)])
    good, figures._client = figures._client, Client("cloudwatch", account("http://127.0.0.1:1"))
    figures.send()
    assert not service.about()["ok"] and "CloudWatch" in service.about()["summary"]
    figures._client.close()
    figures._client = good

    data, _ = figures._figures()

    assert data[0]["MetricName"] == "Errors" and data[0]["Value"] == 1.0
    figures.send()
    assert service.about()["ok"]
    service.close()


@pytest.mark.promise("feat J4")
def test_it_is_off_by_default(tmp_path: Path) -> None:
    here = core(tmp_path)
    try:
        assert build(here.parts).sources == ()
    finally:
        here.close()
