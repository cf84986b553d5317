"""People and keys in the terminal."""

from __future__ import annotations

import io
import json
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from shared.access import Access
from shared.admin.access import main
from shared.journal import Journal

CAMERAS = {
    "porch": {"ftp": {"password": "correct horse"}},
    "theirs": {"ftp": {"password": "another horse"}, "organisation": "other"},
}


@pytest.fixture
def access(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/snapbus.db"
    (tmp_path / "snapbus.yml").write_text(json.dumps({"journal": {"url": url}, "cameras": CAMERAS}))
    with closing(Journal.open(url)) as journal:
        yield Access(journal)


@pytest.fixture
def run(access, tmp_path: Path, monkeypatch, capsys):
    def run(*words: str, typed: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(["--config", str(tmp_path / "snapbus.yml"), *words])
        out, err = capsys.readouterr()
        assert (status == 0) == (err == "")
        return out + err

    return run


@pytest.mark.promise("sec B14")
def test_people_are_made_and_changed_in_the_terminal(run, access):
    assert run("user", "list") == "nobody yet\n"
    assert (
        run("user", "add", "anna", typed="correct horse\n") == "anna can log in as administrator\n"
    )
    assert access.login.person("anna", "correct horse", "192.0.2.1").role == "administrator"
    assert "password has 8" in run("user", "add", "bob", typed="short\n")
    assert "already" in run("user", "add", "anna", typed="correct horse\n")
    run("user", "add", "bob", "--role", "viewer", "--camera", "porch", typed="correct horse\n")
    listed = run("user", "list").splitlines()
    assert re.fullmatch(r"anna +administrator +default +all +\S+", listed[1])
    assert re.fullmatch(r"bob +viewer +default +porch +\S+", listed[2])

    assert run("user", "role", "bob", "operator") == "bob is operator\n"
    assert access.people.get("bob").cameras is None
    assert "last administrator" in run("user", "role", "anna", "viewer")
    assert run("user", "password", "bob", typed="another horse\n").endswith("0 sessions ended\n")
    assert access.login.person("bob", "another horse", "192.0.2.1")
    assert run("user", "remove", "bob") == "bob can't log in any more\n"
    assert "nobody called" in run("user", "remove", "bob")


@pytest.mark.promise("feat L1")
def test_keys_are_made_rotated_and_revoked_in_the_terminal(run, access):
    assert run("key", "list") == "no keys\n"
    text = run("key", "add", "house", "--scope", "read", "--scope", "request").strip()
    key_id = access.keys.all()[0].id
    assert access.by_key(text).rights == {"read", "request"}

    fresh = run("key", "rotate", key_id, "--overlap", "0").strip()
    assert access.by_key(text) is None and access.by_key(fresh)
    assert text not in run("key", "list") and fresh not in run("key", "list")
    assert run("key", "revoke", key_id) == "key house is revoked\n"
    assert access.by_key(fresh) is None
    assert "revoked" in run("key", "list")
    assert "no key" in run("key", "revoke", "x")
    assert "exactly one camera" in run("key", "add", "door", "--scope", "ingest")
    assert access.by_key(run("key", "add", "day", "--days", "1").strip())


@pytest.mark.parametrize("days", ["99999999999", "-99999999999", "0", "-1", "36501"])
def test_a_key_of_no_days_or_too_many_is_refused(run, access, days):
    assert "1 to 36500 days" in run("key", "add", "day", f"--days={days}")
    assert access.keys.all() == []


@pytest.mark.parametrize("camera", ["nosuch", "theirs"])
def test_a_camera_that_is_not_there_is_refused(run, access, camera):
    told = f"there is no camera '{camera}'"
    assert told in run("key", "add", "house", "--camera", camera)
    assert told in run("user", "add", "bob", "--role", "viewer", "--camera", camera)
    run("user", "add", "bob", "--role", "viewer", typed="correct horse\n")
    assert told in run("user", "role", "bob", "viewer", "--camera", camera)
    assert access.keys.all() == [] and access.people.get("bob").cameras is None


@pytest.mark.promise("sec B14")
def test_a_name_that_means_another_is_refused_in_the_terminal(run, access):
    assert "reserved" in run("user", "add", "terminal", typed="correct horse\n")
    assert access.people.none_yet()
