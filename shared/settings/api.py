"""Settings of the API and the page: where they are offered, and to whom."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from shared.settings.section import Port, Seconds, Section, Zone

LOOPBACK = ("127.0.0.0/8", "::1/128")


def _checked(network: str) -> str:
    ip_network(network, strict=False)
    return network


Network = Annotated[str, AfterValidator(_checked)]
Role = Literal["", "viewer", "operator", "administrator"]


class OidcSection(Section):
    """A provider of OpenID Connect at which people log in."""

    issuer: str = Field(description="its address, such as https://id.example.org/realms/home")
    client_id: str
    client_secret: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as oidc_client_secret"
    )
    title: str = Field("single sign-on", description="what the button on the page says")
    name_claim: str = Field("preferred_username", description="the claim that names the person")
    role: Role = Field(
        "viewer",
        description="role of who comes for the first time; empty: only people who are known here",
    )

    @model_validator(mode="after")
    def _is_safe(self) -> OidcSection:
        local = self.issuer.startswith(("http://127.0.0.1", "http://localhost"))
        if not self.issuer.startswith("https://") and not local:
            raise ValueError("'issuer' must begin with https://")
        return self


class DoorsSection(Section):
    """Pictures that are sent to the API: raw, as a form, or as JSON."""

    upload_s: Seconds = Field(120.0, description="a picture that takes longer is given up")
    stall_s: Seconds = Field(15.0, description="and one of which no byte came for so long")
    bytes_a_second: int = Field(
        1_000, gt=0, description="and one that comes slower than this, on the whole"
    )
    at_once: int = Field(16, gt=0, description="pictures that one camera sends at the same time")
    result_s: Seconds = Field(
        30.0, description="how long /api/snapshots waits for the result before it answers 202"
    )
    store_threads: int = Field(
        4, ge=1, le=64, description="threads that store pictures; each takes all that wait"
    )


class ApiSection(Section):
    enabled: bool = Field(True, description="false: no page and no API")
    host: str = "0.0.0.0"  # noqa: S104  the page is for the local network
    port: Port = 8080
    more_ports: tuple[Port, ...] = Field(
        (), description="ports that serve the same, such as 5000 for what expects it there"
    )
    timezone: Zone = Field(
        "",
        description="of times that name no zone, and of the days of counts, such as Europe/Berlin; "
        "empty: that of drive.timezone",
    )
    thumbnail_px: int = Field(480, ge=32, le=2048, description="longest side")
    memory_bytes: int = Field(
        67_108_864, ge=0, description="of the pictures and thumbnails shown last; 0: none are kept"
    )
    hosts: tuple[str, ...] = Field(
        (),
        description="names of this server that a proxy uses, such as cams.example.org; addresses "
        "and local names (nas, nas.local, nas.lan) need no mention",
    )
    open: bool = Field(
        False,
        description="true: no login, everybody who reaches the port sees and may do everything; "
        "for a lab, and the page says so",
    )
    local_role: Role = Field(
        "",
        description="who asks from this machine itself needs no login and has this role; "
        "empty: they log in like everybody",
    )
    metrics_from: tuple[Network, ...] = Field(
        LOOPBACK,
        description="networks whose scrapers get /metrics, /health and /v1/health/ready without "
        "a key",
    )
    proxies: tuple[Network, ...] = Field(
        (),
        description="addresses of proxies before it: their X-Forwarded-For, X-Forwarded-Proto and "
        "login_header are believed, nobody else's",
    )
    login_header: str = Field(
        "", description="header in which these proxies name who logged in, such as Remote-User"
    )
    login_role: Role = Field(
        "",
        description="role of who is named there for the first time; empty: only people who are "
        "known here",
    )
    certificate: Path | None = Field(
        None, description="PEM file with the certificate and its chain; makes the page HTTPS"
    )
    certificate_key: Path | None = Field(None, description="PEM file with its private key")
    oidc: OidcSection | None = None
    doors: DoorsSection = DoorsSection()

    @model_validator(mode="after")
    def _fits_together(self) -> ApiSection:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("'certificate' and 'certificate_key' belong together")
        if self.login_header and not self.proxies:
            raise ValueError("'login_header' needs 'proxies': else anybody could send it")
        return self

    @property
    def page(self) -> str:
        """The address of the page on this machine; empty: there is none, or its port is any."""
        if not (self.enabled and self.port):
            return ""
        here = self.host in ("0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{'localhost' if here else self.host}:{self.port}"
