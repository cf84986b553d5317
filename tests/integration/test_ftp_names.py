"""Names a camera gives: they can be renamed and deleted, come again, and touch no picture."""

from __future__ import annotations

import io
import re
from ftplib import error_perm

import pytest

from tests.support.making import picture


@pytest.mark.promise("fault F6")
def test_a_unique_name_is_made_and_told(door):
    names = []
    with door.raw() as raw:
        for number in range(2):
            with raw.data() as data:
                answer = raw.ask("STOU")
                assert re.fullmatch(r"(150|125) FILE: \S+", answer)
                names.append(answer.split()[-1])
                data.sendall(picture(number))
            assert raw.read().startswith("226")
    assert len(set(names)) == 2
    assert sorted(door.names()) == sorted(names)


@pytest.mark.promise("fault F6")
def test_uploads_are_not_resumed_and_nothing_comes_out_again(door):
    with door.raw() as raw:
        raw.put("x.jpg", picture(1))
        assert raw.ask("REST 0").startswith("350")
        assert raw.ask("REST 100").startswith("502")
        assert raw.ask("RETR x.jpg").startswith("550")
        assert raw.ask("SITE CHMOD 777 x.jpg")[0] == "5"
        assert raw.ask("MFMT 20260101000000 x.jpg")[0] == "5"
        assert raw.ask("SITE EXEC id")[0] == "5"


@pytest.mark.promise("fault F6")
@pytest.mark.promise("sec A7")
def test_names_can_be_renamed_and_deleted_but_the_picture_stays(door):
    with door.client() as ftp:
        ftp.storbinary("STOR x.tmp", io.BytesIO(picture(1)))
        assert ftp.size("x.tmp") == len(picture(1))
        ftp.rename("x.tmp", "x.jpg")
        assert ftp.nlst() == ["x.jpg"]
        lines: list[str] = []
        ftp.retrlines("LIST", lines.append)
        assert lines[0].endswith(" x.jpg") and len(lines) == 1
        assert [name for name, _ in ftp.mlsd()] == ["x.jpg"]
        ftp.delete("x.jpg")
        assert ftp.nlst() == []
        with pytest.raises(error_perm):
            ftp.delete("x.jpg")
    assert door.names() == ["x.tmp"]
    assert door.stored("x.tmp") == picture(1)


@pytest.mark.promise("sec A1")
def test_a_session_sees_only_its_own_names(door):
    with door.client() as first, door.client() as second:
        first.storbinary("STOR x.jpg", io.BytesIO(picture(1)))
        assert second.nlst() == []
        with pytest.raises(error_perm):
            second.size("x.jpg")


@pytest.mark.promise("fault F5")
def test_the_same_name_again_never_touches_the_first_picture(door):
    with door.raw() as first, door.raw() as second, door.raw("yard") as other:
        slow = first.begin("x.jpg")
        slow.sendall(picture(1)[:50])
        assert second.put("x.jpg", picture(2)).startswith("226")
        assert other.put("x.jpg", picture(2)).startswith("226")
        slow.sendall(picture(1)[50:])
        slow.close()
        assert first.read().startswith("226")
    rows = door.core.journal.read.snapshots()
    contents = sorted((row.camera, door.core.store.read(row.sha256)) for row in rows)
    assert contents == [("porch", picture(1)), ("porch", picture(2)), ("yard", picture(2))]


@pytest.mark.promise("fault F3")
def test_a_repeated_upload_gets_the_same_id_and_makes_no_second_snapshot(door):
    with door.raw() as raw:
        first = raw.put("MDAlarm_20260301-101112.jpg", picture(1))
        again = raw.put("MDAlarm_20260301-101112.jpg", picture(1))
    assert first.rstrip(".").split()[-1] == again.rstrip(".").split()[-1]
    assert len(door.names()) == 1
    assert door.about()["uploads"]["repeated"] == 1
