"""A client of one service of AWS: S3, Rekognition, CloudWatch. The only file that knows boto3.

What the machine says of AWS (variables, ~/.aws, proxies, metadata service) is not used: requests go
where the configuration says and nowhere else, each once, each within a deadline.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from shared.aws.codes import meaning
from shared.aws.errors import AwsAway, AwsDamaged, AwsError, AwsForbidden, AwsInvalid
from shared.aws.pool import FAILURES, Limited, Pool
from shared.errors import ConfigError, SnapbusError
from shared.http.errors import HttpError, Untrusted
from shared.masking import Masker
from shared.settings.aws import AwsSection
from shared.text import printable

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.session import Session

ANSWER_BYTES = 16_000_000
MESSAGE_CHARACTERS = 200
CHUNK_BYTES = 65_536
METADATA_S = 2
_ODD = "does not answer as it should: check 'endpoint'"


class Client:
    """Speaks with one ``service`` for one account; ``region`` is that of the account unless given.
    Any thread. Raises ConfigError for an account that can't ask."""

    def __init__(
        self,
        service: Literal["s3", "rekognition", "cloudwatch"],
        account: AwsSection,
        *,
        region: str = "",
        answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        """``answer_bytes``: a longer answer is given up, unless it is read piece by piece."""
        if not (account.has_keys or account.machine_role):
            raise ConfigError(
                "nobody is named who asks AWS: set access_key_id and secret_access_key (or put "
                "them into the secrets folder), or machine_role"
            )
        # Read here: it takes a quarter of a second, which who needs no cloud does not wait.
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        self.region = region or account.region
        self.server = account.endpoint.partition("://")[2] or f"{service} in {self.region}"
        self._seconds = account.request_s
        self._answer_bytes = answer_bytes
        self._errors, self._broken = (BotoCoreError, ClientError), HTTPClientError
        self._masker = Masker(_secrets(account))
        self._pool = Pool(self.server, account.connections, account.authority)
        self._client = self._made(service, account)

    def _made(self, service: str, account: AwsSection) -> Any:
        import boto3.session

        # At debug level they log headers and bodies.
        for name in ("boto3", "botocore", "urllib3"):
            logging.getLogger(name).setLevel(logging.INFO)
        session: Any = boto3.session.Session(botocore_session=_isolated(account))
        try:
            client = session.client(
                service,
                region_name=self.region,
                endpoint_url=account.endpoint or None,
                config=_config(service, account),
                **_keys(account),
            )
        except (*self._errors, ValueError) as error:
            raise ConfigError(f"AWS: {self._masker.text(str(error))}") from None
        client.meta.events.register("before-send", self._send)
        client.meta.events.register_last("before-parameter-build.s3", _stay)
        return client

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one request, such as ``put_object``. Raises AwsError."""
        with self._translated():
            return self._asked(operation, parameters)

    @contextmanager
    def opened(self, operation: str, **parameters: Any) -> Iterator[tuple[Any, Iterator[bytes]]]:
        """The answer to a request such as ``get_object``, and its ``Body`` piece by piece; the time
        limit holds until it is left. Raises AwsError, also while pieces come."""
        with self._translated():
            answer = self._asked(operation, parameters)
            body = answer.pop("Body")
            try:
                yield answer, iter(lambda: body.read(CHUNK_BYTES), b"")
            finally:
                body.close()

    def _asked(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer. Raises AwsAway for one of which the library makes nothing, too."""
        ask = getattr(self._client, operation)
        try:
            answer: dict[str, Any] = ask(**parameters)
        except (*self._errors, *FAILURES, SnapbusError):
            raise
        except Exception:  # noqa: BLE001  any: it trusts the form of answers
            raise self._away(f"{self.server} {_ODD}") from None
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _send(self, request: AWSPreparedRequest, **_more: Any) -> AWSResponse:
        """Send by our own connections what the library has signed."""
        from botocore.awsrequest import AWSResponse

        signed: Any = request.headers
        headers = {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in signed.items()
            # The body is sent at once; the header is no part of what is signed.
            if name.lower() != "expect"
        }
        method, url, body = str(request.method), str(request.url), request.body
        response = self._pool.send(method, url, headers, body)  # type: ignore[arg-type]
        most = sys.maxsize if request.stream_output else self._answer_bytes
        limited: Any = Limited(response, most, self.server)
        answer = AWSResponse(url, response.status, response.headers, limited)  # type: ignore[arg-type]
        if not request.stream_output:
            _ = answer.content  # now, while the deadline holds
        return answer

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with self._pool.exchange(self._seconds):
                yield
        except Untrusted as error:
            raise AwsForbidden(f"{error}: set 'authority' to who signed it") from None
        except HttpError as error:
            raise self._away(str(error)) from None
        except self._errors as error:
            raise self._meaning(error) from None

    def _away(self, text: str) -> AwsAway:
        error = AwsAway(text)
        error.sent = self._pool.sent
        return error

    def _meaning(self, error: Exception) -> AwsError:
        kind = type(error).__name__
        answer: Mapping[str, Any] | None = getattr(error, "response", None)
        if answer is not None:
            told, about = answer.get("Error", {}), answer.get("ResponseMetadata", {})
            refused = meaning(
                self.server,
                self.region,
                str(told.get("Code", "")),
                int(about.get("HTTPStatusCode", 0)),
                printable(self._masker.text(str(told.get("Message", ""))), MESSAGE_CHARACTERS),
                str(about.get("HTTPHeaders", {}).get("retry-after", "")),
            )
            if isinstance(refused, AwsAway):
                refused.sent = True
            return refused
        if isinstance(error, self._broken):
            return self._away(f"{self.server} closed the connection in the middle, or was too slow")
        if kind in ("FlexibleChecksumError", "IncompleteReadError"):
            return AwsDamaged(f"bytes arrived changed from {self.server}")
        if kind in ("NoCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError"):
            return AwsForbidden("the metadata service of this machine names no role")
        if kind == "ResponseParserError":
            return self._away(f"{self.server} {_ODD}")
        text = printable(self._masker.text(str(error)), MESSAGE_CHARACTERS)
        return AwsInvalid(f"the request can't be made: {kind}: {text}", code=kind)


def _secrets(account: AwsSection) -> list[str]:
    named = (account.access_key_id, account.secret_access_key, account.session_token)
    return [each.get_secret_value() for each in named]


def _keys(account: AwsSection) -> dict[str, str | None]:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return {n: value or None for n, value in zip(names, _secrets(account), strict=True)}


def _config(service: str, account: AwsSection) -> Any:
    from botocore import config

    made: Any = config.Config  # of whose options the stubs lack some
    return made(
        # An address has no names below it for buckets; Amazon's own wants them.
        s3={"addressing_style": "path" if account.endpoint else "virtual"},
        signature_version="s3v4" if service == "s3" else "v4",
        retries={"mode": "standard", "total_max_attempts": 1},
        proxies={},
        defaults_mode="legacy",
        ignore_configured_endpoint_urls=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        parameter_validation=True,
    )


def _isolated(account: AwsSection) -> Session:
    """A session that reads no variable and no file of the machine."""
    from botocore.credentials import ContainerProvider, CredentialResolver, InstanceMetadataProvider
    from botocore.session import Session as Made
    from botocore.utils import InstanceMetadataFetcher

    known = {
        name: (each[0], None, each[2], each[3]) for name, each in Made.SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        known[name] = (None, None, os.devnull, None)
    session = Made(session_vars=known)
    providers: list[Any] = []
    if account.machine_role:
        fetcher = InstanceMetadataFetcher(timeout=METADATA_S, num_attempts=1)
        providers = [ContainerProvider(), InstanceMetadataProvider(iam_role_fetcher=fetcher)]
    session.register_component("credential_provider", CredentialResolver(providers=providers))
    return session


def _stay(context: dict[str, Any], **_more: Any) -> None:
    """Let the library follow no bucket into another region: nobody configured that one."""
    if "s3_redirect" in context:
        context["s3_redirect"]["redirected"] = True
