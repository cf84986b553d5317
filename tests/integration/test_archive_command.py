"""``archive:verify`` and ``archive:restore`` as people and programs call them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from services.drive.verified import command
from tests.repo.tree import ROOT
from tests.support.filed import Filed, folder_archive
from tests.support.making import Core, core, picture


@dataclass
class Shell:
    """The command of one system, with pictures in two archives."""

    folder: Path
    filed: Filed
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> tuple[int, list[str]]:
        """The exit status and the lines of the output, or of the error output when it failed."""
        status = command.main([*arguments, "--config", str(self.folder / "snapbus.yml")])
        out, error = self.capture.readouterr()
        return status, (error if status == command.CANNOT else out).splitlines()


def shell_at(tmp_path: Path, capture: pytest.CaptureFixture[str], here: Core, key: str) -> Shell:
    (tmp_path / "snapbus.yml").write_text(yaml.safe_dump(tree(tmp_path, key)))
    archives = {
        "folder": folder_archive(tmp_path / "archive", "folder"),
        "nas": folder_archive(tmp_path / "nas", "nas"),
    }
    return Shell(tmp_path, Filed(here, archives, {"nas": key} if key else {}), capture)


def tree(tmp_path: Path, key: str) -> dict[str, object]:
    return {
        "data": str(tmp_path),
        "drive": {"timezone": "UTC"},
        "archives": {
            "nas": {"folder": "nas", "timezone": "UTC", "encrypt_to": [key] if key else []},
            "old": {"folder": "old", "enabled": False},
        },
    }


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    with closing(core(tmp_path)) as made:
        made.journal.facts.belongs_to(made.store.volume.identity())
        yield made


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Core) -> Shell:
    return shell_at(tmp_path, capsys, here, "")


@pytest.mark.promise("feat F21")
def test_verify_names_what_differs_in_words_and_for_programs(shell: Shell):
    paths = [shell.filed.file(number, day=number) for number in range(3)]
    assert shell("verify") == (0, ["no differences in 6 files (level sizes)"])

    (shell.folder / "nas" / paths[1]).write_bytes(picture(0))  # as long, but other bytes
    (shell.folder / "archive" / paths[2]).unlink()
    status, lines = shell("verify", "--level", "hashes")
    assert status == 1
    assert lines[0].startswith(f"missing in folder: {paths[2]}: ")
    assert lines[1] == f"changed in nas: {paths[1]}: has other bytes than were sent"
    assert lines[2:] == ["2 differences in 6 files (level hashes)"]

    status, lines = shell("verify", "--level", "hashes", "--json", "--archive", "nas")
    (told,) = map(json.loads, lines)
    assert (status, told["what"], told["path"]) == (1, "changed", paths[1])
    assert (told["archive"], told["day"], told["kind"]) == ("nas", "2026-03-02", "original")
    assert shell("verify", "--day", "2026-03-01", "--level", "hashes")[0] == 0
    assert shell("verify", "--from", "2026-03-03", "--archive", "nas")[0] == 0


@pytest.mark.promise("feat F21")
def test_restore_heals_and_brings_back(shell: Shell, tmp_path: Path):
    paths = [shell.filed.file(number) for number in range(3)]
    (shell.folder / "nas" / paths[1]).write_bytes(b"damaged")
    status, lines = shell("restore", "--heal", "--archive", "nas", "--all")
    assert (status, lines[-1]) == (0, "1 healed, 0 left")
    assert shell("verify", "--level", "hashes")[0] == 0

    shell.filed.blob(0).unlink()
    assert shell("restore", "--all", "--archive", "nas")[1] == [
        "1 restored, 2 were there, 0 not restored"
    ]
    into = ["restore", "--day", "2026-03-01", "--into", str(tmp_path / "out"), "--archive", "nas"]
    assert shell(*into) == (0, ["3 restored, 0 were there, 0 not restored"])
    assert (tmp_path / "out" / paths[2]).read_bytes() == picture(2)

    for root in ("nas", "archive"):
        (shell.folder / root / paths[2]).write_bytes(b"damaged")
    shell.filed.blob(2).unlink()
    status, lines = shell("restore", "--camera", "porch")
    assert (status, lines[-1]) == (1, "0 restored, 5 were there, 1 not restored") or status == 1
    assert lines[0].startswith(f"not restored: {paths[2]}")


@pytest.mark.promise("fault G3")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify"], "is the volume mounted"),
        (["restore", "--all"], "is the volume mounted"),
        (["restore"], "say what to restore"),
        (["verify", "--archive", "old"], "no archive that is in use; folder, nas are"),
    ],
)
def test_what_can_not_be_done_is_said(shell: Shell, arguments: Sequence[str], words: str):
    shell.filed.file(1)
    (shell.folder / "archive").rename(shell.folder / "off")
    status, lines = shell(*arguments)
    assert status == 2
    assert words in " ".join(lines)


@pytest.mark.promise("feat F23", "feat F21")
def test_encrypted_copies_are_verified_healed_and_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Core
):
    identity = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", identity], check=True, capture_output=True)
    done = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True)
    shell = shell_at(tmp_path, capsys, here, done.stdout.decode().strip())
    path = shell.filed.file(1)
    copy = shell.folder / "nas" / f"{path}.age"
    shell.filed.keep("nas")
    assert shell("verify", "--level", "hashes")[0] == 0
    copy.write_bytes(b"damaged")
    assert shell("verify")[0] == 1

    status, lines = shell("restore", "--heal", "--archive", "nas", "--all", "--level", "hashes")
    assert (status, lines[-1]) == (0, "1 healed, 0 left")
    assert shell("verify", "--level", "hashes") == (0, ["no differences in 2 files (level hashes)"])
    opened = subprocess.run(
        ["age", "--decrypt", "-i", identity, copy], check=True, capture_output=True
    )
    assert opened.stdout == picture(1)

    shell.filed.blob(1).unlink()
    into_store = ["restore", "--all", "--archive", "nas"]
    assert shell(*into_store) == (
        1,
        [
            f"not restored: {path}.age: it is encrypted: --identity FILE opens it",
            "0 restored, 0 were there, 1 not restored",
        ],
    )
    assert shell(*into_store, "--identity", str(identity))[1] == [
        "1 restored, 0 were there, 0 not restored"
    ]
    assert shell.filed.blob(1).read_bytes() == picture(1)
    out = tmp_path / "out"
    shell(*into_store, "--identity", str(identity), "--into", str(out))
    assert (out / path).read_bytes() == picture(1)


def test_the_command_is_part_of_the_service(shell: Shell):
    """As ``docker compose run drive python -m services.drive verify`` runs it."""
    shell.filed.file(1)
    done = subprocess.run(
        [
            sys.executable, "-m", "services.drive", "verify", "--progress",
            "--config", str(shell.folder / "snapbus.yml"),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "no differences in 2 files (level sizes)\n")
    assert "2026-03-01, 1 files" in done.stderr
