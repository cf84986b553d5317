"""What the error codes of AWS mean, and what to do about them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.aws.errors import (
    AwsAway,
    AwsBusy,
    AwsDamaged,
    AwsError,
    AwsExists,
    AwsForbidden,
    AwsInvalid,
    AwsMissing,
)

LONGEST_WAIT_S = 3600.0
_SKEWED = re.compile("Signature (expired|not yet current)")
_CODE = re.compile(r"[A-Za-z0-9.]{1,60}")

_BUSY = "{server} asks for fewer requests"
_KEYS = "{server} does not take the keys: check access_key_id and secret_access_key"
_EXPIRED = "{server} says that the keys have expired: set new ones"
_RIGHTS = "{server} does not allow it: give the keys the right"
_REGION = "the bucket is in another region than {region}: set 'region' to its own"
_CLOCK = "{server} says that the clock of this machine is wrong: set it (NTP)"
_CHANGED = "bytes arrived changed at {server}"
MEANINGS: Mapping[str, tuple[type[AwsError], str]] = {
    **dict.fromkeys(
        (
            "SlowDown", "Throttling", "ThrottlingException", "ThrottledException",
            "TooManyRequests", "TooManyRequestsException", "RequestLimitExceeded",
            "RequestThrottled", "ProvisionedThroughputExceededException", "LimitExceededException",
            "BandwidthLimitExceeded", "429",
        ),
        (AwsBusy, _BUSY),
    ),
    **dict.fromkeys(
        (
            "InternalError", "InternalServerError", "InternalFailure", "ServiceUnavailable",
            "ServiceUnavailableException", "RequestTimeout", "OperationAborted",
            ),
        (AwsAway, "{server} fails"),
    ),
    **dict.fromkeys(
        (
            "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException",
            "UnrecognizedClientException", "InvalidClientTokenId", "MissingAuthenticationToken",
            "IncompleteSignature", "InvalidToken", "401",
        ),
        (AwsForbidden, _KEYS),
    ),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"), (AwsForbidden, _EXPIRED)
    ),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403"),
        (AwsForbidden, _RIGHTS),
    ),
    **dict.fromkeys(
        ("NoSuchBucket",), (AwsForbidden, "there is no such bucket at {server}: make it")
    ),
    **dict.fromkeys(
        (
            "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException", "301", "307",
        ),
        (AwsForbidden, _REGION),
    ),
    **dict.fromkeys(
        ("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"), (AwsForbidden, _CLOCK)
    ),
    **dict.fromkeys(
        ("NotSignedUp", "OptInRequired", "AccountProblem", "QuotaExceeded", "InsufficientStorage",
         "XMinioStorageFull"),
        (AwsForbidden, "the account at {server} takes no more: look into it"),
    ),
    **dict.fromkeys(
        ("PreconditionFailed", "ConditionalRequestConflict", "412"),
        (AwsExists, "{server} holds such an object already"),
    ),
    **dict.fromkeys(("NoSuchKey", "404"), (AwsMissing, "{server} holds no such object")),
    **dict.fromkeys(
        ("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
         "IncompleteBody"),
        (AwsDamaged, _CHANGED),
    ),
}  # fmt: skip
"""By code, or by status where there is none, as for HEAD."""


def meaning(
    server: str, region: str, code: str, status: int, message: str, wait: str = ""
) -> AwsError:
    """The AwsError for a refusal; ``message`` is the server's own, made safe to show, ``wait`` its
    Retry-After."""
    code = code if _CODE.fullmatch(code) else str(status)
    after_s = min(float(wait), LONGEST_WAIT_S) if wait.isdecimal() else None
    found = MEANINGS.get(code) or MEANINGS.get(str(status))
    if found is None and status in (408, 429, 503):
        found = (AwsBusy, _BUSY)
    if found is None and status >= 500:
        found = (AwsAway, "{server} fails")
    if found is None:
        return AwsInvalid(f"{server} refuses it: {code}: {message}", code=code)
    kind, text = found
    if code == "InvalidSignatureException" and _SKEWED.match(message):
        text = _CLOCK
    return kind(f"{text.format(server=server, region=region)} ({code})", code=code, after_s=after_s)
