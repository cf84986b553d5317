"""Tells the house every few seconds which devices are here."""

from __future__ import annotations

from services.legacy import wire
from services.legacy.devices import Devices
from services.legacy.house import House
from shared.events import now
from shared.stop import Stop

EVERY_S = 5.0


class Heartbeat:
    """A source."""

    name = "heartbeat"

    def __init__(
        self, house: House, devices: Devices, topic: str, every_s: float = EVERY_S
    ) -> None:
        self._house = house
        self._devices = devices
        self._key = f"event.heartbeat.{topic}"
        self._every_s = every_s

    def run(self, stop: Stop) -> None:
        while True:
            body = wire.heartbeat(self._devices.inputs(), self._devices.outputs(), now())
            self._house.mention(self._key, body)
            if stop.wait(self._every_s):
                return
