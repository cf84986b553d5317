"""The cameras as devices of the existing system: its keys and labels for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from shared.settings.cameras import CameraSection
from shared.settings.directory import CameraDirectory
from shared.settings.legacy import LegacySection


class Devices:
    """Any thread; follows changes of the cameras."""

    def __init__(self, section: LegacySection, cameras: CameraDirectory) -> None:
        self._section = section
        self._cameras = cameras

    def wanted(self, device_key: str, device_label: str) -> str | None:
        """The camera that a trigger names, among those that can be asked; by its key, else by its
        label."""
        outputs = dict(self._named(self._section.outputs, asked=True))
        for said in (device_key, device_label):
            for name, camera in outputs.items():
                if said and _same(said, camera.device_key(name), camera.place, name):
                    return name
        return None

    @property
    def known(self) -> Sequence[str]:
        """The keys that triggers may name."""
        outputs = self._named(self._section.outputs, asked=True)
        return [camera.device_key(name) for name, camera in outputs]

    def is_input(self, name: str) -> bool:
        """Whether pictures of this camera are told without being triggered."""
        return any(name == each for each, _ in self._named(self._section.inputs))

    def camera(self, name: str) -> CameraSection:
        """Its settings; those of a camera without any when it was removed meanwhile."""
        return self._cameras.now().get(name) or CameraSection()

    def inputs(self) -> list[dict[str, str]]:
        """The cameras that tell, as heartbeats list them."""
        return [
            {
                "type": camera.device_type,
                "location": camera.location(name),
                "device_key": camera.device_key(name),
            }
            for name, camera in self._named(self._section.inputs)
        ]

    def outputs(self) -> list[dict[str, str]]:
        """The cameras that can be asked, as heartbeats list them."""
        return [
            {
                "location": camera.location(name),
                "type": camera.device_type,
                "device_key": camera.device_key(name),
            }
            for name, camera in self._named(self._section.outputs, asked=True)
        ]

    def folder(self, name: str) -> PurePosixPath:
        """Where the existing system would keep this camera's pictures."""
        place = self.camera(name).location(name).lower().replace(" ", "")
        return self._section.root / self._section.upload_dir / place

    def _named(
        self, names: Sequence[str] | None, *, asked: bool = False
    ) -> Iterator[tuple[str, CameraSection]]:
        cameras: Mapping[str, CameraSection] = self._cameras.now()
        for name in cameras if names is None else names:
            camera = cameras.get(name)
            if camera and (camera.fetch or not asked):
                yield name, camera


def _same(said: str, *names: str) -> bool:
    return said.casefold() in {each.casefold() for each in names}
