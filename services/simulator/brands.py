"""The makes of cameras that Snapbus knows: one list for both ways, asking and being pushed to.

Tests go by it, and docs/ref/cameras.md, which a run of the tests writes, has a row for each.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brand:
    """A make of cameras. ``asked``: its cameras give a picture by HTTP. ``pushes``: they send
    pictures by FTP. ``like``: another brand whose cameras these are under another name."""

    name: str
    asked: bool
    pushes: bool
    like: str = ""


BRANDS = (
    Brand("Foscam HD", asked=True, pushes=True),
    Brand("Foscam MJPEG", asked=True, pushes=True),
    Brand("Reolink", asked=True, pushes=True),
    Brand("Reolink Home Hub, NVR", asked=True, pushes=True),
    Brand("Hikvision", asked=True, pushes=True),
    Brand("Hikvision NVR", asked=True, pushes=True),
    Brand("Annke", asked=True, pushes=True, like="Hikvision"),
    Brand("HiLook", asked=True, pushes=True, like="Hikvision"),
    Brand("Dahua", asked=True, pushes=True),
    Brand("Amcrest", asked=True, pushes=True, like="Dahua"),
    Brand("Lorex", asked=True, pushes=True, like="Dahua"),
    Brand("Axis", asked=True, pushes=True),
    Brand("Vivotek", asked=False, pushes=True),
    Brand("GeoVision", asked=False, pushes=True),
    Brand("ACTi", asked=False, pushes=True),
    Brand("Yi with free firmware", asked=False, pushes=True),
    Brand("TP-Link VIGI", asked=True, pushes=False),
    Brand("UniFi", asked=True, pushes=False),
    Brand("ESP32-CAM", asked=True, pushes=False),
    Brand("Tasmota", asked=True, pushes=False),
    Brand("ONVIF", asked=True, pushes=False),
    Brand("RTSP stream", asked=True, pushes=False),
    Brand("MJPEG, any URL", asked=True, pushes=False),
    Brand("Video device (V4L2)", asked=True, pushes=False),
    Brand("File, folder", asked=True, pushes=False),
)

BY_NAME = {each.name: each for each in BRANDS}
