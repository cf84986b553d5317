"""The cameras and the Google account of the demo. Their passwords are throw-away ones that anybody
may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.settings import Settings
from shared.settings.archive import DriveSection
from shared.settings.cameras import CameraSection
from shared.settings.simulator import SimulatorSection

PUSHES, FOSCAM, DIGEST = "porch", "gate", "yard"
BRANDS = "brands"
"""Stands for one camera of each brand, which no configuration names; they are there to be tried."""
USER = "demo"
PASSWORDS = {
    PUSHES: "demo-porch",
    FOSCAM: "demo-gate",
    DIGEST: "demo-yard",
    BRANDS: "demo-brands",
}
GOOGLE_PORT = 8091
DIGEST_PATH = "/digest/snapshot.jpg"


@dataclass(frozen=True, slots=True)
class Account:
    """What a simulated camera is told (fetched), or logs in with (pushing)."""

    username: str
    password: str


def demo_cameras(http_base: str, ftp_password: str = PASSWORDS[PUSHES]) -> dict[str, Any]:
    """The ``cameras`` section of a configuration with the simulated cameras in it."""
    base = http_base.rstrip("/")
    return {
        PUSHES: {"place": "Porch", "ftp": {"password": ftp_password}},
        FOSCAM: {
            "place": "Gate",
            "fetch": {
                "kind": "foscam",
                "url": base,
                "username": USER,
                "password": PASSWORDS[FOSCAM],
                "every_s": 7,
            },
        },
        DIGEST: {
            "place": "Yard",
            "fetch": {
                "url": base + DIGEST_PATH,
                "username": USER,
                "password": PASSWORDS[DIGEST],
                "every_s": 9,
            },
        },
    }


def at_its_port(settings: Settings) -> Settings:
    """The settings with the simulated cameras and Google of config/demo.yml asked on the ports that
    the simulator has now."""
    standard, now = (
        f"http://127.0.0.1:{each.http_port}" for each in (SimulatorSection(), settings.simulator)
    )

    def moved(camera: CameraSection) -> CameraSection:
        if camera.fetch is None:
            return camera
        fetch = camera.fetch.model_copy(update={"url": camera.fetch.url.replace(standard, now, 1)})
        return camera.model_copy(update={"fetch": fetch})

    cameras = {name: moved(camera) for name, camera in settings.cameras.items()}
    archives = {name: _moved(each, settings) for name, each in settings.archives.items()}
    return settings.model_copy(update={"cameras": cameras, "archives": archives})


def _moved(archive: DriveSection, settings: Settings) -> DriveSection:
    port = settings.simulator.google_port
    if archive.google.api != google_root(GOOGLE_PORT) or port is None:
        return archive
    google = archive.google.model_copy(update={"api": google_root(port)})
    return archive.model_copy(update={"google": google})


def google_root(port: int) -> str:
    """The root of the API of the simulated Google on this port."""
    return f"http://127.0.0.1:{port}/"


def fetch_account(settings: Settings, camera: str) -> Account:
    """What this configuration will use to log in to a simulated camera."""
    section = settings.cameras.get(camera)
    if section is None or section.fetch is None:
        return Account(USER, PASSWORDS[camera])
    return Account(section.fetch.username, section.fetch.password.get_secret_value())


def ftp_account(settings: Settings, camera: str) -> Account:
    """What a simulated camera logs in to the FTP server of this configuration with."""
    section = settings.cameras.get(camera)
    if section is None or section.ftp is None:
        return Account(camera, PASSWORDS[camera])
    return Account(section.ftp.username or camera, section.ftp.password.get_secret_value())
