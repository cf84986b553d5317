"""Which pictures are worth a call: the feature flags of older programs, as settings."""

from __future__ import annotations

from shared.events import SnapshotAnalyzed
from shared.settings.rekognition import RekognitionSection


def wants(section: RekognitionSection, local: SnapshotAnalyzed) -> bool:
    """Whether a picture is sent, after what the local detector found."""
    if section.cameras is not None and local.camera not in section.cameras:
        return False
    return section.when == "always" or is_unsure(section, local)


def is_unsure(section: RekognitionSection, local: SnapshotAnalyzed) -> bool:
    """Whether the local detector does not know: it did not look, or saw something that it is not
    sure of."""
    if not local.analyzed:
        return True
    matter = {each.lower() for each in section.unsure_of}
    surest: dict[str, float] = {}
    for each in local.detections:
        label = each.label.lower()
        if not matter or label in matter:
            surest[label] = max(each.confidence, surest.get(label, 0.0))
    if not surest:
        return section.unsure_when_empty
    return min(surest.values()) < section.unsure_below
