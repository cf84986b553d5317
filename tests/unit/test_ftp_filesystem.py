"""What a session believes to have stored: names, and nothing behind them."""

from __future__ import annotations

import pytest

from services.ftp.filesystem import MOST_NAME_CHARACTERS, MOST_NAMES, VirtualFilesystem


@pytest.mark.promise("sec A1")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("../../etc/passwd", "/etc/passwd"),
        ("a/../../b", "/b"),
        ("\\..\\w", "/\\..\\w"),
        ("/abs", "/abs"),
        ("//unc/x", "/unc/x"),
        ("-rf", "/-rf"),
        (" lead", "/ lead"),
        (".hidden", "/.hidden"),
        ("a\x00b", "/a\ufffdb"),
        ("a\tb\x07\x1b[31m", "/a\ufffdb\ufffd\ufffd[31m"),
        ("\u202ejpg.exe", "/\u202ejpg.exe"),
        ("\udcff.jpg", "/\ufffd.jpg"),
    ],
)
def test_a_name_is_only_a_name(said, meant):
    assert VirtualFilesystem().path_of(said) == meant


def test_an_endless_name_is_cut():
    assert len(VirtualFilesystem().path_of("x" * 100_000)) <= 1025


def test_folders_are_made_deep_and_repeatedly():
    tree = VirtualFilesystem()
    tree.mkdir("/a/b/c")
    tree.mkdir("/a/b/c")
    tree.mkdir("/a/b")
    assert tree.listdir("/") == ["a"]
    assert tree.listdir("/a") == ["b"]
    tree.chdir("/a/b/c")
    assert tree.path_of("x.jpg") == "/a/b/c/x.jpg"
    assert tree.path_of("..") == "/a/b"


def test_a_folder_of_an_earlier_session_can_be_entered():
    tree = VirtualFilesystem()
    tree.chdir("/snap/2026")
    assert tree.cwd == "/snap/2026"


def test_files_are_listed_renamed_and_removed():
    tree = VirtualFilesystem()
    tree.chdir("/snap")
    tree.add_file("/snap/x.tmp", 5)
    tree.rename("/snap/x.tmp", "/snap/x.jpg")
    assert tree.listdir("/snap") == ["x.jpg"]
    assert tree.getsize("/snap/x.jpg") == 5
    (line,) = tree.format_list("/snap", tree.listdir("/snap"))
    assert line.startswith(b"-rw-r--r--") and line.endswith(b" x.jpg\r\n")
    tree.rename("/snap", "/other")
    assert tree.isfile("/other/x.jpg")
    with pytest.raises(OSError, match="not empty"):
        tree.rmdir("/other")
    tree.remove("/other/x.jpg")
    tree.rmdir("/other")
    assert tree.listdir("/") == []


@pytest.mark.parametrize("name", ["/nothing", "/a/b"])
def test_what_is_not_there_is_said_so(name):
    tree = VirtualFilesystem()
    for call in (tree.remove, tree.rmdir, tree.lstat, tree.getsize):
        with pytest.raises(FileNotFoundError):
            call(name)
    with pytest.raises(FileNotFoundError):
        tree.rename(name, "/x")


def test_a_folder_is_not_moved_into_itself():
    tree = VirtualFilesystem()
    tree.mkdir("/a")
    with pytest.raises(OSError, match="Invalid"):
        tree.rename("/a", "/a/b")


@pytest.mark.promise("inv I17")
def test_a_session_of_months_remembers_the_latest_names_only():
    tree = VirtualFilesystem()
    for number in range(MOST_NAMES + 10):
        tree.add_file(f"/{number}.jpg", 1)
    names = tree.listdir("/")
    assert len(names) == MOST_NAMES
    assert names[-1] == f"{MOST_NAMES + 9}.jpg"


@pytest.mark.promise("inv I17", "find M4")
def test_long_names_are_fewer():
    tree = VirtualFilesystem()
    for number in range(MOST_NAMES):
        tree.add_file(f"/{number:0>1000}.jpg", 1)
    tree.rename(f"/{MOST_NAMES - 1:0>1000}.jpg", "/short.jpg")
    names = tree.listdir("/")
    assert 200 < len(names) < 300 and "short.jpg" in names
    assert sum(map(len, names)) < MOST_NAME_CHARACTERS
    for name in names:
        tree.remove(f"/{name}")
    assert tree._characters == 0


@pytest.mark.promise("find M4")
@pytest.mark.parametrize("path", ["a/" * 65, "/".join(["x" * 1000] * 5)])
def test_a_path_has_bounds_wherever_it_is_said(path):
    tree = VirtualFilesystem()
    tree.chdir("/" + path[:2000].rstrip("/")[: 64 * 2 - 2])
    with pytest.raises(OSError, match="4096 characters and 64 levels"):
        for part in path.split("/"):
            tree.chdir(tree.path_of(part))
