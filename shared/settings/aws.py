"""Settings of an account at Amazon Web Services, or at a server that speaks like it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.settings.section import Seconds, Section


class AwsSection(Section):
    """Where requests go, and who asks. What the environment or ~/.aws says is not looked at."""

    endpoint: str = Field(
        "",
        description="address of a server that speaks S3, such as https://nas.lan:9000; empty: "
        "Amazon's own",
    )
    region: str = Field("us-east-1", pattern=r"^[a-z0-9-]{1,40}$")
    access_key_id: SecretStr = SecretStr("")
    secret_access_key: SecretStr = SecretStr("")
    session_token: SecretStr = Field(
        SecretStr(""), description="of keys that hold for some hours only"
    )
    machine_role: bool = Field(
        False,
        description="true: the role of this EC2 machine or ECS task instead of keys; asks the "
        "metadata service of the machine",
    )
    authority: Path | None = Field(
        None, description="PEM file of who signed the endpoint's certificate, if not a public one"
    )
    request_s: Seconds = Field(60.0, description="a request that takes longer is given up")
    connections: int = Field(10, ge=1, le=200, description="kept open to one endpoint, at most")

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, endpoint: str) -> str:
        scheme, mark, rest = endpoint.partition("://")
        if endpoint and (not mark or scheme not in ("http", "https") or not rest.strip("/")):
            raise ValueError("must begin with https:// or http:// and name a server")
        if "@" in endpoint or "?" in endpoint or "#" in endpoint:
            raise ValueError("is an address only: credentials go into their own settings")
        return endpoint.rstrip("/")

    @model_validator(mode="after")
    def _knows_who_asks(self) -> AwsSection:
        if bool(self.access_key_id.get_secret_value()) != bool(
            self.secret_access_key.get_secret_value()
        ):
            raise ValueError("'access_key_id' and 'secret_access_key' belong together")
        if self.machine_role and self.has_keys:
            raise ValueError("'machine_role' goes without keys: remove one of them")
        return self

    @property
    def has_keys(self) -> bool:
        return bool(self.access_key_id.get_secret_value())
