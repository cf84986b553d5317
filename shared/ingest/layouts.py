"""The one table of layouts: how each make of camera names its pictures, and what its words mean.

Rows are patterns as users write them (shared/settings/layouts.py), of the last folders and the
name without its ending. The first row that fits counts; rows with more folders come first. Names
of no row are searched for any time and any word (names.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.events import Trigger


@dataclass(frozen=True, slots=True)
class Layout:
    """One way of naming. ``triggers``: what words of this layout alone mean, in lower case.
    ``trigger``: why all pictures with such names were taken."""

    brand: str
    pattern: str
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    trigger: Trigger = ""


_DAHUA: Mapping[str, Trigger] = {"m": "motion", "r": "timer", "a": "alarm"}

LAYOUTS = (
    # name or model / serial / date / 001 / jpg / hour / minute / second[why][…][number]
    Layout("Dahua", "%Y-%m-%d/{n}/jpg/%H/%M/%S[{trigger}][{any}][{n}]", _DAHUA),
    Layout("Dahua", "%Y-%m-%d/{n}/jpg/%H/%M.%S[{trigger}][{any}][{n}]", _DAHUA),
    Layout("Dahua", "%Y-%m-%d/{n}/jpg/%H.%M.%S[{trigger}][{any}][{n}]", _DAHUA),
    Layout("Dahua", "%Y-%m-%d/pic_{n}/%H.%M.%S[{trigger}][{any}][{n}]", _DAHUA),
    Layout("Yi with free firmware", "%YY%mM%dD%HH/%MM%SS{n}"),
    # What stands before _<time>_ is a prefix that the user chose, an address, or nothing.
    Layout("Hikvision", "{any}_%Y%m%d%H%M%S%f_{trigger}"),
    Layout("Hikvision", "%Y%m%d%H%M%S%f_{trigger}_{camera}"),
    Layout("Foscam", "{trigger}_%Y%m%d-%H%M%S"),
    Layout("Foscam MJPEG", "{any}({camera})_{n}_%Y%m%d%H%M%S_{n}"),
    Layout("Reolink", "{camera}_{n}_%Y%m%d%H%M%S"),
    Layout("Reolink Home Hub", "{camera}_{n}_{any}_%Y%m%d%H%M%S"),
    Layout("Reolink", "{camera}_%Y%m%d%H%M%S"),
    Layout("Axis", "{trigger}%y-%m-%d_%H-%M-%S-%f"),
    Layout("Axis", "{trigger}%y-%m-%d_%H-%M-%S"),
    Layout("Vivotek", "{any}_%Y%m%d_%H%M%S_{n}"),
    Layout("Vivotek", "{trigger}_%Y%m%d%H%M%S_{n}_{any}"),
    Layout("GeoVision", "{trigger}_%Y-%m-%d-%H-%M-%S-%f_{n}"),
    Layout("ACTi", "{any}%Y-%m-%d@%H%M%S"),
    Layout("snapshot-processor", "human_{camera}_%s", trigger="person"),
    Layout("snapshot-processor", "fetch_{camera}_%s"),
    Layout("snapshot-processor", "detect_{camera}_%s"),
    Layout("snapshot-uploader", "snapshot_%Y%m%d_%H%M%S"),
)

_SAYS: Mapping[Trigger, str] = {
    "motion": """motion motion_detection motiondetection motiondetect motion_detect md mdalarm vmd
        videomotion pir pir_alarm move movement""",
    "timer": "timer timing schedule scheduled regular interval periodic period continuous",
    "line_crossing": """line_crossing linecrossing line_crossing_detection linedetection
        crossline crosslinedetection cross_line tripwire linecross""",
    "intrusion": """intrusion intrusion_detection field_detection fielddetection crossregion
        crossregiondetection cross_region regionentrance region_entrance region_entrance_detection
        regionexiting region_exiting region_exiting_detection perimeter loitering""",
    "person": """person people human humanoid pedestrian hmdalarm hmd human_detection
        humandetection person_detection smd_human smartmotionhuman""",
    "face": "face face_detection facedetection facedetect facecapture face_capture facesnap",
    "vehicle": """vehicle vehicle_detection vehicledetection car plate anpr lpr smd_vehicle
        smartmotionvehicle""",
    "animal": "animal pet dog_cat cat dog",
    "package": "package parcel package_detection",
    "sound": "sound audio audiodetection audio_detection audioexception noise crying babycry",
    "tamper": """tamper tampering shelter_alarm shelteralarm videoblind video_blind
        videotampering scenechange scenechangedetection videoloss video_loss""",
    "doorbell": "doorbell visitor call_button",
    "alarm": """alarm alarmin alarm_in alarmlocal alarm_local ioalarm io_alarm
        digital_input""",
    "test": "test ftptest ftp_test testpicture",
    "manual": "manual manualsnap manual_snap",
}

WORDS: Mapping[str, Trigger] = {
    word: trigger for trigger, words in _SAYS.items() for word in words.split()
}
"""What cameras' words mean, in lower case with ``_`` between parts."""
