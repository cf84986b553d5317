"""How each make of camera uploads by FTP: its folders and names, its order of commands, its tests.

Names are patterns of strftime in the camera's local time; ``{n}`` counts its pictures. What is here
stands in makers' manuals, or in programs that people wrote for what their cameras send.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.events import Trigger

Folders = Literal["step", "deep", "path"]
"""step: MKD and CWD for each folder; deep: one MKD for all; path: STOR with the whole path."""


@dataclass(frozen=True, slots=True)
class Habit:
    """One way in which a make of camera uploads.

    * ``trigger``: what its name says of the reason.
    * ``before``: commands before each STOR, where ``{size}`` is that of the picture.
    * ``temporary``: what the name ends with until the upload is renamed.
    * ``probes``: what its test button uploads, empty, and then deletes.
    * ``insists``: codes it must be answered to ``before``, or it hangs up.
    * ``stays``: one login for many pictures, without QUIT.
    """

    brand: str
    path: str
    trigger: Trigger = ""
    folders: Folders = "step"
    before: tuple[str, ...] = ("TYPE I",)
    temporary: str = ""
    probes: tuple[str, ...] = ()
    insists: tuple[str, ...] = ()
    extended: bool = False
    lower_case: bool = False
    stays: bool = False

    def path_at(self, time: datetime, number: int = 0) -> str:
        """The folders and the name of a picture taken at this local time."""
        return time.strftime(self.path).replace("{n}", f"{number:02d}")


_ALLO = ("TYPE I", "ALLO {size}")
_MAC = "C4D6553CA13C"

HABITS = (
    Habit("Foscam HD", f"FI9821W_{_MAC}/snap/MDAlarm_%Y%m%d-%H%M%S.jpg", "motion"),
    Habit("Foscam HD", f"FI9821W_{_MAC}/snap/HMDAlarm_%Y%m%d-%H%M%S.jpg", "person"),
    Habit("Foscam HD", f"FI9821W_{_MAC}/snap/Schedule_%Y%m%d-%H%M%S.jpg", "timer"),
    Habit(
        "Foscam MJPEG", "00626E4A0F3B(Porch)_1_%Y%m%d%H%M%S_{n}.jpg", folders="path",
        temporary=".tmp", probes=("test.txt",),
    ),
    Habit("Reolink", "%Y/%m/%d/Front Door_00_%Y%m%d%H%M%S.jpg", probes=("test.txt",)),
    Habit("Reolink", "%Y-%m-%d/Front Door_%Y%m%d%H%M%S.jpg", folders="deep"),
    Habit(
        "Reolink Home Hub, NVR", "Front Door_01_Home Hub_%Y%m%d%H%M%S.jpg", folders="path",
        stays=True,
    ),
    Habit(
        "Hikvision", "porch/192.168.1.64_01_%Y%m%d%H%M%S123_MOTION_DETECTION.jpg", "motion",
        probes=("test.jpg",),
    ),
    Habit(
        "Hikvision", "_%Y%m%d%H%M%S123_LINE_CROSSING_DETECTION.jpg", "line_crossing", stays=True
    ),
    Habit("Hikvision", "10.0.0.7_02_%Y%m%d%H%M%S123_FIELD_DETECTION.jpg", "intrusion"),
    Habit("Hikvision", "10.0.0.7_02_%Y%m%d%H%M%S123_FACE_DETECTION.jpg", "face"),
    Habit("Hikvision", "10.0.0.7_02_%Y%m%d%H%M%S123_TIMING.jpg", "timer"),
    Habit("Hikvision", "Forward_%Y%m%d%H%M%S123_AB123CD_PLATE.jpg", "vehicle"),
    Habit("Hikvision", "%Y%m%d%H%M%S123_MOTION_DETECTION_192.168.1.5.jpg", "motion"),
    Habit(
        "Hikvision NVR", "NVR-7608/Camera 03/10.0.0.9_03_%Y%m%d%H%M%S123_MOTION_DETECTION.jpg",
        "motion", stays=True,
    ),
    Habit("Annke", "10.0.0.8_01_%Y%m%d%H%M%S123_ALARM.jpg", "alarm"),
    Habit("HiLook", "10.0.0.8_01_%Y%m%d%H%M%S123_MOTION_DETECTION.jpg", "motion"),
    Habit(
        "Dahua", "porch/4K0123PAZ4AAAAA/%Y-%m-%d/001/jpg/%H/%M/%S[M][0@0][{n}].jpg", "motion",
        before=_ALLO, insists=("200",), probes=("DVRWorkDirectory",),
    ),
    Habit(
        "Dahua", "porch/4K0123PAZ4AAAAA/%Y-%m-%d/001/jpg/%H/%M.%S[R][0@0][{n}].jpg", "timer",
        before=_ALLO, insists=("200",),
    ),
    Habit(
        "Amcrest", "AMC0123/%Y-%m-%d/001/jpg/%H/%M.%S[M][0@0][{n}].jpg", "motion",
        before=_ALLO, insists=("200",), probes=("DVRWorkDirectory",),
    ),
    Habit(
        "Lorex", "lorex/ND0123/%Y-%m-%d/001/jpg/%H/%M/%S[A][0@0][{n}].jpg", "alarm",
        before=_ALLO, insists=("200",), probes=("DVRWorkDirectory",),
    ),
    Habit("Axis", "%y%m%d/image%y-%m-%d_%H-%M-%S-45.jpg", temporary=".part", extended=True),
    Habit("Axis", "motion%y-%m-%d_%H-%M-%S-45.jpg", "motion", folders="path", temporary=".tmp"),
    Habit("Vivotek", "0002D1A1B2C3_%Y%m%d_%H%M%S_{n}.jpg", folders="path"),
    Habit("Vivotek", "motion_%Y%m%d%H%M%S_{n}_pre.jpg", "motion", folders="path"),
    Habit(
        "GeoVision", "0013E2AABBCC/Motion/%Y-%m-%d/%H/Motion_%Y-%m-%d-%H-%M-%S-000_001.jpg",
        "motion",
    ),
    Habit("ACTi", "snap%Y-%m-%d@%H%M%S.jpg", folders="path"),
    Habit(
        "Yi with free firmware", "%YY%mM%dD%HH/%MM%SS{n}.jpg", folders="path", extended=True,
        lower_case=True, before=("type i",),
    ),
)  # fmt: skip
"""All that are imitated; of a brand the first is the usual one."""

FOSCAM = HABITS[0]
