"""What a simulated Amazon Rekognition answers to ``DetectLabels``, and how it refuses."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from services.simulator.shown import Shown
from shared.settings.simulator import AmazonFault

Label = Mapping[str, Any]
See = Callable[[Image.Image], Sequence[Label]]

MAX_IMAGE = 5_242_880
MAX_PIXELS = 100_000_000
SKEW = timedelta(minutes=5)
_REFUSALS = {
    "throttled": ("ThrottlingException", "Rate exceeded"),
    "overloaded": ("ProvisionedThroughputExceededException", "Provisioned rate exceeded"),
    "expired": ("ExpiredTokenException", "The security token included in the request is expired"),
    "denied": ("AccessDeniedException", "is not authorized to perform: rekognition:DetectLabels"),
}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def answer(headers: Mapping[str, str], fault: AmazonFault, body: bytes, see: See) -> dict[str, Any]:
    """What is in the picture; names of headers are in lower case. Raises Refusal."""
    if fault == "error":
        raise Refusal("InternalServerError", "Internal server error", 500)
    if fault in _REFUSALS:
        raise Refusal(*_REFUSALS[fault])
    _check_time(headers, ahead=fault == "clock")
    if fault == "nonsense":
        return {"Hello": "world"}
    asked = _json(body)
    image = _image(asked)
    least = float(asked.get("MinConfidence", 55.0))
    labels = [each for each in see(image) if each["Confidence"] >= least]
    most = int(asked.get("MaxLabels", 1000))
    return {"Labels": labels[:most], "LabelModelVersion": "3.0"}


def seen_by(shown: Shown) -> See:
    """Labels of pictures that were drawn by these cameras; of others, none."""

    def see(image: Image.Image) -> Sequence[Label]:
        things = shown.things(image)
        if things is None:
            return []
        scene = {"Name": "Outdoors", "Confidence": 97.5, "Instances": [], "Parents": []}
        by_label: dict[str, list[dict[str, Any]]] = {}
        for each in things:
            left, top, width, height = each.box
            box = {"Left": left, "Top": top, "Width": width, "Height": height}
            instance = {"BoundingBox": box, "Confidence": 60 + 39 * each.visible}
            by_label.setdefault(each.label.capitalize(), []).append(instance)
        found = [
            {
                "Name": name,
                "Confidence": max(each["Confidence"] for each in instances),
                "Instances": instances,
                "Parents": [],
            }
            for name, instances in by_label.items()
        ]
        return [scene, *found]

    return see


def _check_time(headers: Mapping[str, str], *, ahead: bool) -> None:
    try:
        text = headers.get("x-amz-date", "")
        signed = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal("IncompleteSignatureException", "X-Amz-Date") from None
    here = datetime.now(UTC) + (timedelta(hours=1) if ahead else timedelta())
    if abs(here - signed) > SKEW:
        late = here - SKEW
        raise Refusal(
            "InvalidSignatureException",
            f"Signature expired: {signed:%Y%m%dT%H%M%SZ} is now earlier than {late:%Y%m%dT%H%M%SZ}",
        )


def _json(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        raise Refusal("SerializationException", "") from None
    if not isinstance(asked, dict):
        raise Refusal("SerializationException", "")
    return asked


def _image(asked: Mapping[str, Any]) -> Image.Image:
    try:
        data = base64.b64decode(asked["Image"]["Bytes"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise Refusal("InvalidParameterException", "Request has invalid parameters") from None
    if len(data) > MAX_IMAGE:
        raise Refusal("ImageTooLargeException", "Image size is too large")
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
        if image.width * image.height > MAX_PIXELS:
            raise Refusal("ImageTooLargeException", "Image dimensions are too large")
        image.load()
    except (OSError, SyntaxError, ValueError):
        raise Refusal("InvalidImageFormatException", "Request has invalid image format") from None
    return image
