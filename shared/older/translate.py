"""What the older names say, as settings of ours, and an account of what became of each name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.older.names import (
    ACCOUNT,
    CLOUD,
    COMMAND,
    FALSE,
    IGNORED,
    INSTEAD,
    INTERVAL,
    LOCAL,
    MASTERS,
    MODEL,
    SETTINGS,
    SPOKEN,
    STORAGE,
    TRUE,
    UPLOADER,
)
from shared.older.sources import Said

_CAMERA = "camera"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
_NUMBER = re.compile(r"^(INPUT|OUTPUT)_(\d+)_(LOCATION|TYPE)$")


@dataclass(slots=True)
class Device:
    """A camera of the older configuration. ``where`` are the names that describe it."""

    name: str
    place: str
    type: str
    where: list[str]


@dataclass(slots=True)
class Translation:
    """``settings``: path to value and the name that says so. ``inputs`` and ``outputs``: the
    cameras that push, and those that are asked. ``replaced`` and ``ignored``: name to text."""

    settings: dict[str, tuple[str, str]] = field(default_factory=dict)
    inputs: list[Device] = field(default_factory=list)
    outputs: list[Device] = field(default_factory=list)
    command: str = ""
    understood: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)


def translate(said: Mapping[str, Said]) -> Translation:
    """All names are accounted for."""
    made = Translation()
    for name, each in said.items():
        if name in SETTINGS:
            setting = SETTINGS[name]
            _understand(made, each, setting.path, setting.read(each.value))
        elif name in INSTEAD:
            made.replaced[each.where] = INSTEAD[name]
        elif name in IGNORED:
            made.ignored[each.where] = IGNORED[name]
        elif name.startswith("[") and name != COMMAND:
            made.ignored[each.where] = "no such key is known"
    _detection(made, said)
    _storage(made, said.get(STORAGE))
    _model(made, said.get(MODEL))
    _command(made, said.get(COMMAND))
    if folder := made.settings.get("ftp.upload_folder"):
        made.settings["legacy.upload_dir"] = folder
    _devices(made, said)
    _uploader(made, said)
    for name in SPOKEN:
        if name in said:
            made.settings.setdefault("legacy.enabled", ("true", said[name].where))
    return made


def _understand(made: Translation, said: Said, path: str, value: str) -> None:
    made.settings[path] = (value, said.where)
    made.understood[said.where] = path


def _detection(made: Translation, said: Mapping[str, Said]) -> None:
    """Off is stronger than on, and a master stronger than the rest."""
    _switch(made, said, (*MASTERS, LOCAL), "detector.enabled")
    if CLOUD not in said:
        return
    _switch(made, said, (*MASTERS, CLOUD), "rekognition.enabled")
    value, where = made.settings["rekognition.enabled"]
    if value == "true":
        local = said[LOCAL].value if LOCAL in said else ""
        # With both, Amazon is asked where the local detector is not sure; alone, of every picture.
        when = "unsure" if local.strip().lower() in TRUE else "always"
        made.settings["rekognition.when"] = (when, where)


def _switch(made: Translation, said: Mapping[str, Said], names: Sequence[str], path: str) -> None:
    switches = [said[name] for name in names if name in said]
    off = [each for each in switches if each.value.strip().lower() in FALSE]
    for each in switches:
        if off and each not in off:
            made.ignored[each.where] = f"{off[0].where} is off, which wins"
            continue
        value = each.value.strip().lower()
        told = made.understood.get(each.where)
        _understand(made, each, path, {**dict.fromkeys(TRUE, "true")}.get(value, value))
        if told:  # a master is for both
            made.understood[each.where] = told


def _storage(made: Translation, said: Said | None) -> None:
    """Only who switched it on files in Google Drive: that waits until somebody logs in."""
    if said and said.value.strip().lower() in TRUE:
        _understand(made, said, "drive.archive", "google")
    elif said:
        made.ignored[said.where] = "it is off: pictures are filed as 'drive' of snapbus.yml says"


def _model(made: Translation, said: Said | None) -> None:
    if said is None:
        return
    value = said.value.strip()
    # They downloaded what they had no file of; here it is a name in the folder of models.
    value = value if "/" in value else value.removesuffix(".pt")
    if (value.endswith((".onnx", ".pt", ".xml")) and "/" in value) or _NAME.match(value):
        _understand(made, said, "detector.model", value)
    else:
        made.replaced[said.where] = "the model in the folder of detector.models (`task model`)"


def _command(made: Translation, said: Said | None) -> None:
    if said is not None:
        made.command = said.value.strip()
        made.understood[said.where] = "cameras.*.fetch.command"


def _devices(made: Translation, said: Mapping[str, Said]) -> None:
    for kind, devices, door in (("INPUT", made.inputs, "push"), ("OUTPUT", made.outputs, "ask")):
        for number in sorted({int(m[2]) for m in map(_NUMBER.match, said) if m and m[1] == kind}):
            location = said.get(f"{kind}_{number}_LOCATION")
            typed = said.get(f"{kind}_{number}_TYPE")
            where = [each.where for each in (location, typed) if each]
            type_ = typed.value.strip() if typed else "Camera"
            place = location.value.strip() if location else ""
            if type_.lower() != _CAMERA:
                made.ignored |= dict.fromkeys(where, f"only cameras are known, no {type_!r}")
            elif not place:
                made.ignored |= dict.fromkeys(where, f"there is no {kind}_{number}_LOCATION")
            else:
                name = camera_name(place) or f"{_CAMERA}-{number}"
                devices.append(Device(name, place, type_, where))
                made.understood |= dict.fromkeys(where, f"cameras.{name}, to {door}")


def _uploader(made: Translation, said: Mapping[str, Said]) -> None:
    """The one camera of the program that uploads snapshots: a Reolink."""
    address = said.get("CAMERA_IP")
    if address is None:
        for name in (*UPLOADER, INTERVAL):
            if name in said:
                made.ignored[said[name].where] = "there is no CAMERA_IP"
        return
    https = said.get("CAMERA_USE_HTTPS")
    scheme = "https" if https and https.value.strip().lower() in TRUE else "http"
    fetch = f"cameras.{_CAMERA}.fetch"
    _understand(made, address, f"{fetch}.url", f"{scheme}://{address.value.strip()}")
    made.settings[f"{fetch}.kind"] = ("reolink", address.where)
    made.settings[f"{fetch}.username"] = ("admin", address.where)
    made.settings[f"{fetch}.every_s"] = ("10", address.where)
    if https:
        made.settings[f"{fetch}.verify_tls"] = ("false", https.where)
        made.understood[https.where] = f"{fetch}.url"
    rest = {"CAMERA_USERNAME": "username", "CAMERA_PASSWORD": "password", INTERVAL: "every_s"}
    for name, key in rest.items():
        if name in said:
            _understand(made, said[name], f"{fetch}.{key}", said[name].value.strip())


def camera_name(place: str) -> str:
    """A place as the name of a camera: ``front-door`` of "Front Door"."""
    plain = unicodedata.normalize("NFKD", place).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]


def cameras_of(made: Translation, told: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections of the cameras, of which the configuration file may say more. ``told`` is the
    folder for what triggers tell of an address."""
    shares = any(path.startswith(f"ftp.accounts.{ACCOUNT}.") for path in made.settings)
    for device in made.inputs:
        section: dict[str, Any] = {"place": device.place, "device_type": device.type}
        if shares:
            folder = device.place.lower().replace(" ", "")
            names = [folder] if folder != device.name else []
            section["ftp"] = {"account": ACCOUNT, "names": names}
        yield device.name, section
    for device in made.outputs:
        fetch = {"kind": "told", "path": f"{told}/{device.name}.json"}
        if made.command:
            fetch["command"] = made.command
        section = {"place": device.place, "device_type": device.type, "fetch": fetch}
        yield device.name, section
