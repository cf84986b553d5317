"""ONVIF: the camera is asked where its still picture is; if it has none, its stream gives one.

Addresses that a camera names are asked at the configured host: behind a router they are wrong, and
an answer must not choose whom we ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

from services.camera.brands import rtsp
from services.camera.brands.adapter import Adapter, Still
from services.camera.brands.soap import CONTENT_TYPE, NotSupported, Reply, envelope, security
from services.camera.brands.soap import MAX_BYTES as MAX_ANSWER
from services.camera.brands.url import UrlAdapter, address, client
from services.camera.failures import CameraError, Misdirected, WrongAnswer, as_camera_error
from shared.events import now
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection

SERVICE = "/onvif/device_service"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"


class OnvifAdapter:
    """A camera that speaks ONVIF. What it said of its addresses is asked again after a failure."""

    def __init__(self, fetch: FetchSection) -> None:
        self._fetch = fetch
        self._client = client(fetch)
        camera = address(fetch)
        self._host = urlsplit(camera).hostname or ""
        self._device = camera if urlsplit(camera).path else camera + SERVICE
        self._ahead = timedelta()
        self._source: Adapter | None = None

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        with as_camera_error(), ExitStack() as held:
            try:
                self._source = self._source or self._found(deadline)
                still = held.enter_context(self._source.open(deadline))
            except CameraError:
                self._source = None
                raise
            yield replace(still, clock=now() + self._ahead)

    def close(self) -> None:
        """Nothing is kept."""

    def _found(self, deadline: Deadline) -> Adapter:
        """What gives this camera's picture: the address of a still, or a stream."""
        self._ahead = self._clock(deadline)
        media = self._here(self._media(deadline))
        profile = self._profile(media, deadline)
        try:
            still = self._uri("GetSnapshotUri", "", media, profile, deadline)
        except NotSupported:
            still = ""
        if still:
            return UrlAdapter(self._client, self._here(still))
        setup = (
            f'<StreamSetup><Stream xmlns="{_SCHEMA}">RTP-Unicast</Stream>'
            f'<Transport xmlns="{_SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
        )
        stream = self._uri("GetStreamUri", setup, media, profile, deadline)
        if not stream.startswith("rtsp://"):
            raise Misdirected("the camera has neither a still picture nor a stream of RTSP")
        return rtsp.RtspAdapter(
            self._here(stream), self._fetch.username, self._fetch.password.get_secret_value()
        )

    def _clock(self, deadline: Deadline) -> timedelta:
        """How far the camera's clock is ahead of ours; it tells the time to everybody."""
        body = f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>'
        try:
            said = self._ask(self._device, body, deadline, signed=False)
            parts = [
                int(said.text("UTCDateTime", *place))
                for place in (
                    ("Date", "Year"), ("Date", "Month"), ("Date", "Day"),
                    ("Time", "Hour"), ("Time", "Minute"), ("Time", "Second"),
                )
            ]  # fmt: skip
            year, month, day, hour, minute, second = parts
            return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - now()
        except (CameraError, ValueError):
            return timedelta()  # so it takes ours, or refuses what follows

    def _media(self, deadline: Deadline) -> str:
        body = f'<GetCapabilities xmlns="{_DEVICE}"><Category>Media</Category></GetCapabilities>'
        found = self._ask(self._device, body, deadline).text("Media", "XAddr")
        if not found:
            raise WrongAnswer("the camera names no media service of ONVIF")
        return found

    def _profile(self, media: str, deadline: Deadline) -> str:
        """The profile of the channel and stream: each source has its main one first."""
        said = self._ask(media, f'<GetProfiles xmlns="{_MEDIA}"/>', deadline)
        sources: dict[str, list[str]] = {}
        for each in said.all("Profiles"):
            token = next((t.text for t in each.iter() if t.tag.endswith("}SourceToken")), None)
            sources.setdefault(token or "", []).append(each.get("token", ""))
        channels = list(sources.values())
        if len(channels) < self._fetch.channel:
            raise Misdirected(f"the camera has {len(channels)} channels, not {self._fetch.channel}")
        profiles = channels[self._fetch.channel - 1]
        return profiles[0] if self._fetch.stream == "main" else profiles[min(1, len(profiles) - 1)]

    def _uri(self, call: str, first: str, media: str, profile: str, deadline: Deadline) -> str:
        token = f"<ProfileToken>{escape(profile)}</ProfileToken>"
        body = f'<{call} xmlns="{_MEDIA}">{first}{token}</{call}>'
        return self._ask(media, body, deadline).text("Uri")

    def _ask(self, url: str, body: str, deadline: Deadline, *, signed: bool = True) -> Reply:
        header = ""
        if signed and self._fetch.username:
            password = self._fetch.password.get_secret_value()
            header = security(self._fetch.username, password, now() + self._ahead)
        data, headers = envelope(body, header), {"Content-Type": CONTENT_TYPE}
        with as_camera_error(), self._client.post(url, data, deadline, headers) as answer:
            said = b""
            for chunk in answer.chunks:
                said += chunk
                if len(said) > MAX_ANSWER:
                    raise WrongAnswer("the camera's answer is too long for ONVIF")
            return Reply(answer.status, said)

    def _here(self, url: str) -> str:
        """An address that the camera named, at the configured host."""
        try:
            parts = urlsplit(url)
            host = f"[{self._host}]" if ":" in self._host else self._host
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            raise WrongAnswer("the camera names an impossible address") from None
        if parts.scheme not in ("http", "https", "rtsp"):
            raise Misdirected("the camera names an address of another kind: not asked")
        return urlunsplit((parts.scheme, host + port, parts.path, parts.query, ""))


def adapter(fetch: FetchSection) -> Adapter:
    """``url`` may name the path of the device service, where it is not the usual one."""
    return OnvifAdapter(fetch)
