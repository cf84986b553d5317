"""``--check`` says that a configuration is fine, or which camera is not and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.allinone.app import build
from services.allinone.checks import check
from shared.main import main

Said = tuple[int, str, str]


@pytest.fixture
def checked(tmp_path: Path, monkeypatch, capsys) -> Callable[[str], Said]:
    """The exit status, standard output and standard error of ``--check``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNAPBUS_SECRETS", str(tmp_path))

    def run(text: str) -> Said:
        Path("snapbus.yml").write_text(text)
        with pytest.raises(SystemExit) as ended:
            main("ftp", build, ["--check", "--config=snapbus.yml"], check=check)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


FETCH = "fetch: {url: 'http://a'}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no cameras yet"),
        ("cameras: {porch: {ftp: {password: x}}}", "1 camera (porch: ftp)"),
        (
            "cameras: {a: {ftp: {password: x}, folder: {path: in}}, b: {fetch: {url: 'http://a', "
            f"every_s: 30}}}}, c: {{{FETCH}}}}}",
            "3 cameras (a: ftp and folder, b: fetch every 30 s, c: fetch on request)",
        ),
    ],
)
def test_what_is_fine_is_said_in_one_line(checked, text: str, says: str):
    Path("in").mkdir()
    assert checked(text) == (0, f"snapbus.yml is fine: {says}\n", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cameras: {porch: {ftp: {}}}", "cameras.porch.ftp.password: is missing. Set it, or put"),
        (
            "cameras: {a: {folder: {path: in}}, b: {folder: {path: in/b}}}",
            "cameras.b.folder.path: ",
        ),
        ("cameras: {a: {fetch: {}}}", "cameras.a.fetch: "),
    ],
)
def test_a_camera_that_can_not_be_served_is_named_with_the_remedy(checked, text: str, says: str):
    status, out, err = checked(text)
    assert (status, out) == (2, "")
    assert says in err


@pytest.mark.promise("find T1")
def test_what_is_doubted_is_told_beside_what_is_fine(checked):
    status, out, err = checked("cameras: {a: {folder: {path: in}}}")
    assert (status, out) == (0, "snapbus.yml is fine: 1 camera (a: folder)\n")
    assert err.startswith("snapbus.yml: cameras.a.folder.path: ") and "is not there" in err


def test_a_password_in_the_secrets_is_one(checked, tmp_path: Path):
    (tmp_path / "camera_porch_ftp_password").write_text("x")
    assert checked("cameras: {porch: {ftp: {}}}")[0] == 0


def test_a_camera_without_a_door_is_doubted(checked, tmp_path: Path, monkeypatch, caplog):
    status, out, err = checked("cameras: {attic: {place: Attic}}")
    assert (status, out) == (0, "snapbus.yml is fine: 1 camera (attic: no door)\n")
    assert "cameras.attic: has no door" in err
    assert "Give it ftp, mail, http, folder or fetch." in err


def test_what_a_variable_overrides_is_told(checked, monkeypatch):
    monkeypatch.setenv("SNAPBUS__API__PORT", "81")
    status, _, err = checked("api: {port: 80}")
    assert (status, err) == (
        0,
        "snapbus.yml: api.port is 81, by the variable SNAPBUS__API__PORT, and not 80\n",
    )


@pytest.mark.promise("find T1")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "cameras:\n  porch: {folder: {path: a}}\n  gate: {folder: {path: b}}\n"
            "  porch: {folder: {path: c}}\n",
            "snapbus.yml, line 4: porch stands here again after line 2. Only one can hold",
        ),
        ("api: {port: 80, port: 81}", "snapbus.yml, line 1: port stands here again after line 1."),
        ("ftp: {}\nftp: {}", "snapbus.yml, line 2: ftp stands here again after line 1."),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_lines(checked, text: str, says: str):
    status, out, err = checked(text)
    assert (status, out) == (2, "")
    assert says in err


def test_what_a_merge_brings_may_be_overridden(checked):
    text = "cameras:\n  a: &a {place: A, folder: {path: a}}\n  b: {<<: *a, folder: {path: b}}\n"
    assert checked(text)[0] == 0


@pytest.mark.promise("find T1")
@pytest.mark.parametrize("ports", ["30009-30000", "0-9", "65000-70000", "21"])
def test_ports_that_are_no_range_are_refused_with_the_remedy(checked, ports: str):
    status, out, err = checked(f"ftp: {{passive_ports: '{ports}'}}")
    assert (status, out) == (2, "")
    assert "snapbus.yml: ftp.passive_ports: " in err
