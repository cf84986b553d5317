"""Simulated cameras that are asked by HTTP: each brand with its paths, logins and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.simulator.demo import Account
from services.simulator.devices.dahua import Dahua
from services.simulator.devices.device import Device, Mood
from services.simulator.devices.foscam import FoscamHd, FoscamMjpeg
from services.simulator.devices.generic import Generic
from services.simulator.devices.hikvision import Hikvision
from services.simulator.devices.onvif import Onvif
from services.simulator.devices.plain import Axis, Esp32, Tasmota, Unifi, Vigi
from services.simulator.devices.reolink import Reolink
from services.simulator.pictures import Pictures
from shared.errors import ConfigError

_BRANDS = (FoscamMjpeg, Reolink, Hikvision, Dahua, Axis, Onvif, Vigi, Unifi, Esp32, Tasmota)


def demo_devices(
    pictures: Mapping[str, Pictures], *, foscam: Account, generic: Account, brands: Account
) -> list[Device]:
    """One camera of each brand, and those of the demo. ``pictures`` are by camera of the demo."""
    gate, yard = pictures["gate"], pictures["yard"]
    return [
        FoscamHd(foscam, gate),
        Generic(generic, yard),
        *(each(brands, yard) for each in _BRANDS),
    ]


def in_moods(devices: Sequence[Device], moods: Mapping[str, Mood]) -> None:
    """Give each device its mood. Raises ConfigError for a name that none has."""
    for each in devices:
        each.mood = moods.get(each.name, "fine")
    names = {each.name for each in devices}
    if unknown := sorted(set(moods) - names):
        raise ConfigError(
            f"simulator.moods: no brand is called {', '.join(unknown)}; there are: "
            f"{', '.join(sorted(names))}"
        )
