"""A whole Snapbus while Amazon is away in both regions: killed meanwhile, it goes on afterwards."""

from __future__ import annotations

import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.simulator.amazon.server import SimulatedRekognition
from tests.chaos.nursery import Forked, Nursery
from tests.support.amazon import FIRST, SECOND, amazon, label, tree_of
from tests.support.fakes import eventually
from tests.support.pictures import jpeg
from tests.support.system import System

PICTURES = 6


def picture(number: int) -> bytes:
    """Each is another place; on those with odd numbers somebody stands in the dark."""
    image = Image.new("RGB", (320, 240), "white")
    image.paste((0, 0, 0), (20 * number, 40, 20 * number + 30, 200))
    if number % 2:
        image.paste((255, 0, 0), (0, 220, 320, 240))
    return jpeg(image, quality=95)


def who_is_red(image: Image.Image) -> list[dict[str, Any]]:
    red, green, _ = image.convert("RGB").getpixel((160, 232))  # type: ignore[misc]
    return [label("Person", 97, 97)] if red > 200 and green < 80 else []


@pytest.fixture
def cloud() -> Iterator[SimulatedRekognition]:
    with amazon(who_is_red) as cloud:
        yield cloud


def results(system: System) -> dict[str, dict[str, Any]]:
    """What Amazon's result says of each picture that has one."""
    found = {}
    for row in system.get("/v1/snapshots?limit=100")["snapshots"]:
        for each in row["analyses"]:
            if each["analyzer"] == "rekognition":
                found[row["name"]] = {**each, "people": row["person_count"]}
    return found


@pytest.mark.promise("fault D7", "feat E11")
def test_the_outage_of_both_regions_loses_no_result_and_makes_none_false(
    tmp_path: Path, cloud: SimulatedRekognition
) -> None:
    yard = tmp_path / "yard"
    yard.mkdir()
    tree = {
        **tree_of(cloud, when="unsure"),
        "cameras": {"yard": {"folder": {"path": str(yard)}}},
        "folders": {"settle_s": 0.1, "rescan_s": 0.2},
        "scheduler": {"reconcile_s": 0.2},
    }
    cloud.faults = {FIRST: "reset", SECOND: "error"}
    with closing(Nursery()) as nursery, closing(Forked(tmp_path, tree, nursery)) as system:
        system.start("allinone")
        for number in range(PICTURES):
            (yard / f"{number:02}.jpg").write_bytes(picture(number))

        def waiting() -> Counter[str]:
            work = system.get("/v1/work?limit=100")["work"]
            return Counter(each["status"] for each in work if each["service"] == "rekognition")

        eventually(lambda: waiting() == {"retry": PICTURES}, timeout=60)
        assert results(system) == {}
        system.kill("allinone")
        system.start("allinone")
        assert results(system) == {}

        cloud.faults = {FIRST: "error"}

        eventually(lambda: len(results(system)) == PICTURES, timeout=60)
        told = results(system)
        assert all(each["analyzed"] for each in told.values())
        people = {name: each["people"] for name, each in told.items()}
        assert people == {f"{n:02}.jpg": n % 2 for n in range(PICTURES)}
        assert waiting() == {}
        assert cloud.charged == {SECOND: PICTURES}

        def spent() -> bool:
            parts = system.get("/v1/health")["parts"]
            (part,) = (each for each in parts if each["service"] == "rekognition")
            return bool(
                part["about"]["paid"]["rekognition"]["periods"]["ever"]["calls"] >= PICTURES
            )

        eventually(spent, timeout=20)
        url = f"http://127.0.0.1:{system.api_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            figures = answer.read().decode()
        assert 'snapbus_paid_calls{currency="USD",engine="rekognition",period="day"}' in figures
        assert (
            'snapbus_paid_budget{currency="USD",engine="rekognition",period="day"} 1.0' in figures
        )
