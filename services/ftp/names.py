"""The FTP commands about names and folders; none touches anything stored."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.text import printable

if TYPE_CHECKING:
    from services.ftp.session import Session

_OPTIONS = re.compile(r"-\w+(\s+|$)")


def told(command: Callable[[Session, str], None]) -> Callable[[Session, str], None]:
    """Has what is wrong with a name answered."""

    def run(session: Session, name: str) -> None:
        try:
            command(session, name)
        except OSError as error:
            session.respond(f"550 {error.strerror}.")

    return run


@told
def enter(session: Session, name: str) -> None:
    session.fs.chdir(session.fs.path_of(name))
    session.respond(f'250 "{_quoted(session.fs.cwd)}" is the current directory.')


def leave(session: Session, _name: str) -> None:
    enter(session, "..")


def where(session: Session, _name: str) -> None:
    session.respond(f'257 "{_quoted(session.fs.cwd)}" is the current directory.')


@told
def make(session: Session, name: str) -> None:
    path = session.fs.path_of(name)
    session.fs.mkdir(path)
    session.respond(f'257 "{_quoted(path)}" is there.')


@told
def remove_folder(session: Session, name: str) -> None:
    session.fs.rmdir(session.fs.path_of(name))
    session.respond("250 Directory removed.")


@told
def delete(session: Session, name: str) -> None:
    session.fs.remove(session.fs.path_of(name))
    session.respond("250 File removed.")


@told
def rename_from(session: Session, name: str) -> None:
    path = session.fs.path_of(name)
    session.fs.lstat(path)
    session.rename_from = path
    session.respond("350 Now the new name.")


@told
def rename_to(session: Session, name: str) -> None:
    if not session.rename_from:
        session.respond("503 RNFR first.")
        return
    source, session.rename_from = session.rename_from, ""
    session.fs.rename(source, session.fs.path_of(name))
    session.respond("250 Renamed.")


@told
def size(session: Session, name: str) -> None:
    session.respond(f"213 {session.fs.getsize(session.fs.path_of(name))}")


@told
def modified(session: Session, name: str) -> None:
    at = time.gmtime(session.fs.getmtime(session.fs.path_of(name)))
    session.respond(f"213 {time.strftime('%Y%m%d%H%M%S', at)}")


@told
def list_long(session: Session, name: str) -> None:
    folder, names = _listed(session, name)
    _send(session, b"".join(session.fs.format_list(folder, names)))


@told
def list_names(session: Session, name: str) -> None:
    _folder, names = _listed(session, name)
    _send(session, "".join(f"{each}\r\n" for each in names).encode(errors="replace"))


@told
def list_facts(session: Session, name: str) -> None:
    folder, names = _listed(session, name)
    _send(session, b"".join(session.fs.format_mlsx(folder, names)))


@told
def facts(session: Session, name: str) -> None:
    path = session.fs.path_of(name) if name else session.fs.cwd
    session.fs.lstat(path)
    (line,) = session.fs.format_mlsx(posixpath.dirname(path), [posixpath.basename(path)])
    session.respond(f"250-Listing:\r\n {line.decode()}250 End.")


def _listed(session: Session, name: str) -> tuple[str, list[str]]:
    """The folder and the names in it; a file is listed by itself. Raises OSError."""
    name = _OPTIONS.sub("", name)  # LIST -al
    path = session.fs.path_of(name) if name else session.fs.cwd
    if session.fs.isfile(path):
        return posixpath.dirname(path), [posixpath.basename(path)]
    session.fs.lstat(path)
    return path, sorted(session.fs.listdir(path))


def _send(session: Session, listing: bytes) -> None:
    if session.data.waiting is not None or session.data.receiving:
        session.respond("450 An upload of this session is not finished.")
    elif session.data_allowed():
        session.respond("150 Here are the names.")
        session.data.use(listing)


def _quoted(path: str) -> str:
    return printable(path, len(path)).replace('"', '""')
