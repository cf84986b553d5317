"""``--check`` says that a configuration is fine, or which camera is not and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.allinone.app import build, check
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


def test_a_password_in_the_secrets_is_one(checked, tmp_path: Path):
    (tmp_path / "camera_porch_ftp_password").write_text("x")
    assert checked("cameras: {porch: {ftp: {}}}")[0] == 0


def test_a_camera_without_a_door_is_doubted(checked, tmp_path: Path, monkeypatch, caplog):
    status, out, err = checked("cameras: {attic: {place: Attic}}")
    assert (status, out) == (0, "snapbus.yml is fine: 1 camera (attic: no door)\n")
    assert "cameras.attic: has no door" in err
    assert "Give it ftp, folder or fetch." in err


def test_what_a_variable_overrides_is_told(checked, monkeypatch):
    monkeypatch.setenv("SNAPBUS__API__PORT", "81")
    status, _, err = checked("api: {port: 80}")
    assert (status, err) == (
        0,
        "snapbus.yml: api.port is 81, by the variable SNAPBUS__API__PORT, and not 80\n",
    )
