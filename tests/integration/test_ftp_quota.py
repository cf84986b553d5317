"""Quotas: one camera can't take the others' disk."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.errors import JournalUnavailable
from shared.ingest.quota import Quota
from shared.settings.cameras import QuotaSection
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Raw, ftp_door
from tests.support.making import picture

ONE = len(picture(1))


def cameras(**quota: int) -> dict[str, Any]:
    return {"porch": {"ftp": {"password": PASSWORD, "quota": quota}}}


def over(raw: Raw) -> str:
    """The answer to one more picture: at its command, or at its first bytes."""
    with raw.data() as data:
        answer = raw.ask("STOR x.jpg")
        if answer.startswith("150"):
            data.sendall(picture(7))
            answer = raw.read()
    return answer


@pytest.mark.promise("sec A8", "find M8")
@pytest.mark.parametrize("quota", [{"pictures_a_day": 3}, {"bytes_a_day": 3 * ONE + 10}])
def test_a_camera_over_its_quota_is_refused_and_others_are_not(
    tmp_path: Path, quota: dict[str, int]
):
    with ftp_door(tmp_path, cameras=cameras(**quota)) as door:
        with door.raw() as raw:
            for number in range(3):
                assert raw.put(f"{number}.jpg", picture(number)).startswith("226")
            assert over(raw).startswith("552")
        with door.raw("yard") as other:
            assert other.put("y.jpg", picture(9)).startswith("226")
        about = door.about()
    assert len(door.names()) == 4
    assert about["uploads"]["taken"] == 4


@pytest.mark.promise("sec A8", "find M8")
@pytest.mark.parametrize("quota", [{"pictures_a_day": 2}, {"bytes_a_day": 2 * ONE}])
def test_the_quota_is_told_and_outlives_a_restart(tmp_path: Path, quota: dict[str, int]):
    with ftp_door(tmp_path, cameras=cameras(**quota)) as door, door.raw() as raw:
        assert raw.put("0.jpg", picture(0)).startswith("226")
        assert door.about()["over_quota"] == []
    with ftp_door(tmp_path, cameras=cameras(**quota)) as door, door.raw() as raw:
        assert raw.put("1.jpg", picture(1)).startswith("226")
        with raw.data():
            answer = raw.ask("STOR 2.jpg")
        assert answer.startswith("552") and "cameras.porch.ftp.quota" in answer
        about = door.about()
        assert about["over_quota"] == ["porch"] and "porch" in about["summary"]


@pytest.mark.promise("sec A8", "find M8")
def test_a_picture_that_leads_over_the_quota_is_refused_while_it_comes(tmp_path: Path):
    with ftp_door(tmp_path, cameras=cameras(bytes_a_day=ONE + 50)) as door, door.raw() as raw:
        assert raw.put("0.jpg", picture(0)).startswith("226")
        assert raw.put("1.jpg", picture(1)).startswith("552")
        assert door.names() == ["0.jpg"]
        assert not list(door.core.store.incoming.iterdir())


@pytest.mark.promise("sec A8", "find M8")
def test_uploads_at_the_same_time_share_the_quota(tmp_path: Path):
    with ftp_door(tmp_path, cameras=cameras(bytes_a_day=2 * ONE)) as door:
        raws = [door.raw() for _ in range(3)]
        links = [raw.begin(f"{number}.jpg") for number, raw in enumerate(raws)]
        for number, link in enumerate(links):
            link.sendall(picture(number)[: ONE - 20])
        eventually(lambda: door.about()["received_bytes"] >= 2 * (ONE - 20))
        for number, link in enumerate(links):
            with contextlib.suppress(OSError):  # it may have been hung up on
                link.sendall(picture(number)[ONE - 20 :])
            link.close()
        codes = sorted(raw.read()[:3] for raw in raws)
        for raw in raws:
            raw.close()
        assert codes == ["226", "226", "552"]


@pytest.mark.promise("sec A8", "find M8")
def test_repeats_and_refused_pictures_cost_no_quota(tmp_path: Path):
    with ftp_door(tmp_path, cameras=cameras(pictures_a_day=2)) as door, door.raw() as raw:
        for _ in range(5):
            assert "552" not in raw.put("0.jpg", picture(0))
            assert raw.put("0.jpg", picture(0)[:-10]).startswith("451")
        assert raw.put("1.jpg", picture(1)).startswith("226")


def test_a_new_day_is_a_new_quota():
    time = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    quota = Quota("ftp", lambda door, since: {"porch": (5, 100)}, lambda: time)
    most = QuotaSection(pictures_a_day=5, bytes_a_day=10**6)
    assert quota.load()
    assert quota.refusal("porch", most) and quota.over == ["porch"]
    time = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert quota.refusal("porch", most) == "" and quota.over == []


def test_without_a_journal_quotas_begin_at_nothing():
    def away(door: str, since: datetime) -> dict[str, tuple[int, int]]:
        raise JournalUnavailable("away")

    quota = Quota("ftp", away)
    assert not quota.load()
    assert quota.refusal("porch", QuotaSection()) == ""
