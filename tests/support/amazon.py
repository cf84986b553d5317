"""A simulated Rekognition, and the service that asks it, on a real journal and a real store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from services.rekognition.app import build
from services.simulator.amazon.labels import See
from services.simulator.amazon.server import SimulatedRekognition
from shared.events import Event, SnapshotAnalyzed
from shared.service import Service
from tests.support.fakes import eventually
from tests.support.making import Clock, Core, analyzed, core, events_of
from tests.support.simulated import running

KEY_ID, KEY = "AKIASNAPBUSTEST00002", "q/Canary4That+Nobody0May8See1abcdefghijk"
FIRST, SECOND = "us-east-1", "eu-west-1"
PERSON_BOX = {"Left": 0.25, "Top": 0.5, "Width": 0.25, "Height": 0.25}


def label(
    name: str, confidence: float, *instances: float, box: Mapping[str, float] = PERSON_BOX
) -> dict[str, Any]:
    """A label as Amazon answers it."""
    found = [{"BoundingBox": dict(box), "Confidence": each} for each in instances]
    return {"Name": name, "Confidence": confidence, "Instances": found, "Parents": []}


def a_person(_image: Image.Image) -> Sequence[Mapping[str, Any]]:
    """Sees a person on every picture, in a garden."""
    return [label("Person", 99.1, 99.1), label("Garden", 88.0)]


@contextmanager
def amazon(see: See = a_person) -> Iterator[SimulatedRekognition]:
    """A simulated Rekognition, served."""
    cloud = SimulatedRekognition("127.0.0.1", 0, see)
    with running(cloud.run):
        eventually(lambda: cloud.port)
        yield cloud


def tree_of(cloud: SimulatedRekognition | None, **section: Any) -> dict[str, Any]:
    """Settings by which the service asks it."""
    endpoint = f"http://127.0.0.1:{cloud.port}" if cloud else "http://127.0.0.1:1"
    rekognition = {
        "enabled": True,
        "when": "always",
        "endpoint": endpoint,
        "alternate_region": SECOND,
        "thrift": {"price": 0.001, "cooldown_s": 0},
        **section,
    }
    aws = {"region": FIRST, "access_key_id": KEY_ID, "secret_access_key": KEY}
    return {"aws": aws, "rekognition": rekognition}


class Asking:
    """The service, given pictures as the runtime gives them."""

    def __init__(self, core: Core, service: Service) -> None:
        self.core = core
        self.service = service
        self._numbers = itertools.count()

    def local(self, picture: bytes, *labels: str, camera: str = "porch", **result: Any) -> Event:
        """Let a picture in; the event of the local detector, which saw these labels."""
        known = len(self.core.told)
        accepted = self.core.arrive(picture, camera=camera, name=f"{next(self._numbers)}.jpg")
        assert not accepted.duplicate
        (taken,) = self.core.told[known:]
        event = analyzed(taken, *labels, **result)
        self.core.journal.finish("detector", taken, [event])
        return event

    def handle(self, event: Event) -> SnapshotAnalyzed | None:
        """What the service says of it, committed; None: nothing."""
        said = events_of(self.service.handlers[event.topic](event))
        self.core.journal.finish("rekognition", event, said)
        return SnapshotAnalyzed.model_validate(said[0].data) if said else None

    def ask(self, picture: bytes, *labels: str, **more: Any) -> SnapshotAnalyzed | None:
        """Both."""
        return self.handle(self.local(picture, *labels, **more))

    def bought(self, picture: bytes, *labels: str, **more: Any) -> SnapshotAnalyzed:
        """The same, where something is said."""
        said = self.ask(picture, *labels, **more)
        assert said is not None
        return said

    def money(self, period: str = "day") -> float:
        """What was spent, by the service's own account."""
        paid = self.service.about()["paid"]["rekognition"]
        return float(paid["periods"][period]["money"])

    def close(self) -> None:
        self.service.close()
        self.core.close()


@contextmanager
def asking(
    folder: Path,
    cloud: SimulatedRekognition | None,
    *,
    clock: Clock | None = None,
    more: Mapping[str, Any] | None = None,
    **section: Any,
) -> Iterator[Asking]:
    """The service of these settings; ``more`` are other sections."""
    made = core(folder, {**tree_of(cloud, **section), **(more or {})}, clock)
    made.max_bytes = 50_000_000
    asks = Asking(made, build(made.parts))
    try:
        yield asks
    finally:
        asks.close()
