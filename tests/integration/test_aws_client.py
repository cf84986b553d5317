"""The client of AWS: where requests go, what their failures mean, and what no text tells."""

from __future__ import annotations

import logging
import traceback
import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.rekognition.regions import is_free
from shared.aws.bucket import Bucket
from shared.aws.client import Client
from shared.aws.errors import (
    AwsAway,
    AwsBusy,
    AwsDamaged,
    AwsError,
    AwsForbidden,
    AwsInvalid,
    AwsMissing,
    for_handler,
)
from shared.errors import ConfigError, HandlerError, Reject, Retry, Unreachable
from shared.settings.aws import AwsSection
from tests.support.moto import KEY, KEY_ID, MotoServer, account
from tests.support.ports import free_port
from tests.support.s3peer import S3Peer, Said, refusal


@pytest.fixture
def bucket(moto: MotoServer) -> tuple[Client, str]:
    name = f"b-{uuid.uuid4().hex[:12]}"
    return moto.bucket(name), name


@pytest.fixture
def peer(moto: MotoServer):
    with S3Peer(moto.port) as peer:
        yield peer


def put(client: Client, bucket: str = "any", body: bytes = b"picture") -> None:
    client.call("put_object", Bucket=bucket, Key="a b+ü/1.jpg", Body=body)


def test_what_is_put_is_read_again_piece_by_piece(bucket: tuple[Client, str]):
    client, name = bucket
    body = bytes(range(256)) * 1000
    put(client, name, body)
    with client.opened("get_object", Bucket=name, Key="a b+ü/1.jpg") as (answer, pieces):
        found = list(pieces)
    assert answer["ContentLength"] == len(body)
    assert b"".join(found) == body
    assert len(found) > 1


def test_a_connection_serves_many_requests(bucket: tuple[Client, str], moto: MotoServer):
    with S3Peer(moto.port) as peer:
        client = Client("s3", account(peer.url))
        for _ in range(5):
            put(client, bucket[1])
        assert (peer.connections, len(peer.requests)) == (1, 5)


@pytest.mark.parametrize(
    ("status", "code", "kind", "text"),
    [
        (503, "SlowDown", AwsBusy, "fewer requests"),
        (429, "TooManyRequests", AwsBusy, "fewer requests"),
        (400, "ThrottlingException", AwsBusy, "fewer requests"),
        (500, "InternalError", AwsAway, "fails"),
        (502, "", AwsAway, "fails"),
        (403, "AccessDenied", AwsForbidden, "give the keys the right"),
        (403, "SignatureDoesNotMatch", AwsForbidden, "check access_key_id"),
        (403, "RequestTimeTooSkewed", AwsForbidden, "clock of this machine"),
        (400, "ExpiredToken", AwsForbidden, "expired"),
        (404, "NoSuchBucket", AwsForbidden, "make it"),
        (301, "PermanentRedirect", AwsForbidden, "set 'region'"),
        (400, "AuthorizationHeaderMalformed", AwsForbidden, "set 'region'"),
        (507, "XMinioStorageFull", AwsForbidden, "takes no more"),
        (404, "NoSuchKey", AwsMissing, "no such object"),
        (400, "BadDigest", AwsDamaged, "arrived changed"),
        (400, "EntityTooLarge", AwsInvalid, "EntityTooLarge: because"),
    ],
)
def test_a_refusal_says_what_to_change(peer: S3Peer, status, code, kind, text):
    peer.say(refusal(status, code, f"because {KEY_ID}"))
    with pytest.raises(AwsError, match=text) as caught:
        put(Client("s3", account(peer.url)))
    assert type(caught.value) is kind
    assert len(peer.requests) == 1, "retries are the journal's"
    assert KEY_ID not in str(caught.value)


def test_how_long_to_wait_is_taken_from_the_answer(peer: S3Peer):
    peer.say(refusal(503, "SlowDown", headers={"Retry-After": "7"}))
    with pytest.raises(AwsBusy) as caught:
        put(Client("s3", account(peer.url)))
    assert caught.value.after_s == 7.0


@pytest.mark.parametrize(
    "trouble", ["reset", "close", "half", "garbage", "silent", "drip", "endless"]
)
def test_an_endpoint_in_trouble_is_away_within_the_time(peer: S3Peer, trouble: str):
    peer.say(trouble)
    client = Client("s3", account(peer.url, request_s=1.0), answer_bytes=1_000_000)
    with pytest.raises(AwsAway):
        client.call("list_objects_v2", Bucket="any")


def test_a_connection_that_was_kept_ends_with_the_time_as_well(
    peer: S3Peer, bucket: tuple[Client, str]
):
    client = Client("s3", account(peer.url, request_s=1.0))
    put(client, bucket[1])
    peer.say("drip")
    with pytest.raises(AwsAway, match="within 1 s"):
        client.call("list_objects_v2", Bucket=bucket[1])
    assert peer.connections == 1


@pytest.mark.promise("feat E29")
@pytest.mark.parametrize(
    ("status", "body", "free"),
    [
        (500, "<html>Bad Gateway</html>", False),
        (504, "", False),
        (200, "[]", False),
        (400, '{"__type": "ThrottlingException"}', True),
        (403, "<html>Forbidden</html>", True),
    ],
)
def test_an_answer_that_makes_no_sense_may_have_cost(
    peer: S3Peer, status: int, body: str, free: bool
):
    peer.say(Said(status, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()))
    client = Client("rekognition", account(peer.url))
    with pytest.raises(AwsError) as caught:
        client.call("detect_labels", Image={"Bytes": b"x"})
    assert is_free(caught.value) is free


def test_an_answer_that_lacks_what_every_object_has_is_none(peer: S3Peer):
    bucket = Bucket(Client("s3", account(peer.url)), "any")
    peer.always(Said(200, {"Content-Type": "application/xml"}, b""), match="HEAD ")
    peer.always(_page("<Contents><Size>1</Size></Contents>", ""), match="list-type")
    peer.always(Said(200, {"Content-Type": "application/xml"}, b"<Tagging/>"), match="tagging")
    for call in (bucket.look, lambda key: list(bucket.under(key)), bucket.tags):
        with pytest.raises(AwsAway, match="lacks"):
            call("1.jpg")


def _page(content: str, token: str) -> Said:
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    xml = f"<ListBucketResult>{more if token else ''}{content}</ListBucketResult>"
    return Said(200, {"Content-Type": "application/xml"}, xml.encode())


def test_a_list_without_end_ends(peer: S3Peer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.aws.bucket.EMPTY_PAGES", 5)
    bucket = Bucket(Client("s3", account(peer.url)), "any")
    peer.always(_page("", "same"))
    with pytest.raises(AwsAway, match="does not end its list"):
        list(bucket.under("x"))
    assert len(peer.requests) == 2
    peer.heal()
    for number in range(20):
        peer.say(_page("", f"{number}"))
    with pytest.raises(AwsAway, match="does not end its list"):
        list(bucket.folders("x"))
    assert len(peer.requests) == 2 + 5 + 1


def test_no_more_is_read_than_was_said(peer: S3Peer, bucket: tuple[Client, str]):
    put(bucket[0], bucket[1], bytes(1000))
    held = Bucket(bucket[0], bucket[1])
    assert held.read("a b+ü/1.jpg", 1000) == bytes(1000)
    peer.say("endless")
    for asked in (held, Bucket(Client("s3", account(peer.url)), "any")):
        with pytest.raises(AwsInvalid, match="more than 999 bytes"):
            asked.read("a b+ü/1.jpg", 999)


@pytest.mark.parametrize("key", ["../other/1.jpg", "a/./b", "a//b", "", "a\0", "x" * 1025])
def test_no_key_leads_elsewhere(peer: S3Peer, key: str):
    bucket = Bucket(Client("s3", account(peer.url)), "any")
    for call in (bucket.look, bucket.remove, bucket.tags):
        with pytest.raises(AwsInvalid, match="can't be the key"):
            call(key)
    assert peer.requests == []


def test_nobody_listens_there():
    with pytest.raises(AwsAway, match="can't be reached"):
        put(Client("s3", account(f"http://127.0.0.1:{free_port()}")))


def test_a_body_that_ends_early_is_no_body(peer: S3Peer, bucket: tuple[Client, str]):
    put(bucket[0], bucket[1], bytes(100_000))
    peer.say("cut")
    client = Client("s3", account(peer.url))
    with (
        pytest.raises(AwsError) as caught,
        client.opened("get_object", Bucket=bucket[1], Key="a b+ü/1.jpg") as (_, pieces),
    ):
        b"".join(pieces)
    assert isinstance(caught.value, AwsAway | AwsDamaged)


def test_a_body_that_drips_ends_with_the_time(peer: S3Peer):
    peer.say("drip")
    client = Client("s3", account(peer.url, request_s=1.0))
    with (
        pytest.raises(AwsAway),
        client.opened("get_object", Bucket="any", Key="1") as (_, pieces),
    ):
        b"".join(pieces)


@pytest.mark.promise("inv I16", "sec K1")
def test_no_log_and_no_error_holds_a_key(peer: S3Peer, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.DEBUG)
    for said in (refusal(403, "InvalidAccessKeyId", KEY_ID), refusal(400, "Odd", KEY), "reset"):
        peer.say(said)
        try:
            put(Client("s3", account(peer.url)))
        except AwsError:
            caplog.handler.format(caplog.records[-1]) if caplog.records else None
            text = traceback.format_exc()
            assert KEY not in text and KEY_ID not in text
    assert KEY not in caplog.text and KEY_ID not in caplog.text
    section = account(peer.url)
    assert KEY not in repr(section) and KEY_ID not in repr(section)


def test_what_the_machine_says_of_aws_is_not_used(
    bucket: tuple[Client, str], moto: MotoServer, tmp_path: Path, monkeypatch
):
    nowhere = f"http://127.0.0.1:{free_port()}"
    config = tmp_path / "config"
    config.write_text(f"[default]\nendpoint_url = {nowhere}\nregion = mars-north-1\n")
    for name, value in {
        "AWS_ENDPOINT_URL": nowhere, "AWS_ENDPOINT_URL_S3": nowhere, "HTTP_PROXY": nowhere,
        "http_proxy": nowhere, "AWS_PROFILE": "missing", "AWS_CONFIG_FILE": str(config),
        "AWS_DEFAULT_REGION": "mars-north-1", "AWS_CA_BUNDLE": "/missing",
        "AWS_ACCESS_KEY_ID": "wrong", "AWS_DEFAULTS_MODE": "auto", "AWS_MAX_ATTEMPTS": "5",
        "AWS_USE_FIPS_ENDPOINT": "true", "AWS_DATA_PATH": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = Client("s3", account(moto.url))
    put(client, bucket[1])
    assert client.region == "us-east-1"


def test_without_keys_nobody_is_asked_for_some():
    with pytest.raises(ConfigError, match="access_key_id"):
        Client("s3", AwsSection())


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "nas.lan:9000"},
        {"endpoint": "https://me:pass@nas.lan"},
        {"endpoint": "ftp://nas.lan"},
        {"access_key_id": SecretStr("one")},
        {
            "access_key_id": SecretStr("one"),
            "secret_access_key": SecretStr("two"),
            "machine_role": True,
        },
        {"region": "http://evil"},
    ],
)
def test_an_account_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        AwsSection(**wrong)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AwsAway("x"), Unreachable),
        (AwsBusy("x", after_s=3), Unreachable),
        (AwsForbidden("x"), Unreachable),
        (AwsMissing("x"), Retry),
        (AwsDamaged("x"), Retry),
        (AwsInvalid("x"), Reject),
    ],
)
def test_what_a_handler_says_of_it(error: AwsError, kind: type[HandlerError]):
    told = for_handler(error, "archive s3")
    assert type(told) is kind
    if isinstance(told, Unreachable):
        assert (told.peer, told.after_s) == ("archive s3", error.after_s)


def test_rekognition_and_cloudwatch_are_asked_in_a_region_of_choice(moto: MotoServer):
    metrics = Client("cloudwatch", account(moto.url), region="eu-west-1")
    metrics.call("put_metric_data", Namespace="t", MetricData=[{"MetricName": "a", "Value": 1.0}])
    assert metrics.call("list_metrics", Namespace="t")["Metrics"]
    labels = Client("rekognition", account(moto.url), region="eu-west-1")
    assert labels.call("detect_labels", Image={"Bytes": b"x"})["Labels"]
