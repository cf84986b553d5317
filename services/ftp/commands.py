"""The FTP commands, each by its word; those on names and logins have files of their own.

Pictures go in and nothing comes out: there is no resuming, no changing of modes or times. What
cameras use in ways of their own is answered as they want it.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.ftp import diary, login, names, secrecy
from shared.text import printable

if TYPE_CHECKING:
    from services.ftp.session import Session

URGENT = ("ABOR", "STAT", "QUIT")
"""Commands that may come with a Telnet signal before them."""
LOWEST_PORT = 1024

_TYPES = re.compile(r"(?i)(A|I|L ?[78]|E)( [NTC])?$")
_FEATURES = (
    "AUTH TLS",
    "EPRT",
    "EPSV",
    "MDTM",
    "MLST modify*;size*;type*;",
    "PBSZ",
    "PROT",
    "SIZE",
    "TVFS",
    "UTF8",
)


@dataclass(frozen=True, slots=True)
class Command:
    """What to do, and what must be there before it is done."""

    run: Callable[[Session, str], None]
    login: bool = True
    argument: bool = False


def _says(answer: str) -> Callable[[Session, str], None]:
    return lambda session, _line: session.respond(answer)


def _type(session: Session, line: str) -> None:
    # Cameras forget TYPE I: whatever they say, bytes are taken as they come.
    if _TYPES.match(line):
        session.respond(f"200 Type set to {line[0].upper()}.")
    else:
        session.respond("504 Unknown type.")


def _mode(session: Session, line: str) -> None:
    known = line.strip().upper() in ("S", "F")
    session.respond("200 As ever." if known else "504 Only streams of files.")


def _rest(session: Session, line: str) -> None:
    if line.strip() == "0":
        session.respond("350 Starting at the beginning.")
    else:
        session.respond("502 Uploads can't be resumed: send the whole file.")


def _features(session: Session, _line: str) -> None:
    lines = "".join(f" {feature}\r\n" for feature in _FEATURES)
    session.respond(f"211-Features supported:\r\n{lines}211 End FEAT.")


def _options(session: Session, line: str) -> None:
    known = line.upper().startswith(("UTF8", "UTF-8", "MLST"))
    session.respond("200 So it is." if known else "501 Unknown option.")


def _passive(session: Session, _line: str) -> None:
    session.data.passive(extended=False)


def _extended_passive(session: Session, line: str) -> None:
    wanted = line.strip().upper()
    ours = "2" if ":" in session.socket.getsockname()[0] else "1"
    if wanted == "ALL":
        session.respond("200 EPSV it is.")
    elif wanted in ("", ours):
        session.data.passive(extended=True)
    elif wanted in ("1", "2"):
        session.respond(f"522 Use protocol {ours}.")
    else:
        session.respond("501 EPSV 1, EPSV 2 or EPSV alone.")


def _port(session: Session, line: str) -> None:
    numbers = [int(each) for each in line.split(",") if each.isascii() and each.isdigit()]
    if len(numbers) != 6 or max(numbers) > 255:
        session.respond("501 Write it as PORT 192,168,1,2,200,10.")
    else:
        _active(session, ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5])


def _extended_port(session: Session, line: str) -> None:
    parts = line.split(line[0])
    if len(parts) != 5 or not (parts[3].isascii() and parts[3].isdigit()):
        session.respond("501 Write it as EPRT |1|192.168.1.2|51210|.")
    else:
        _active(session, parts[2], int(parts[3][:6]))


def _active(session: Session, address: str, port: int) -> None:
    assert session.account is not None
    if not session.account.active:
        session.respond(
            "502 Active mode is off for this camera: choose passive mode in the camera, "
            f"or set {session.state.logins().place(session.account)}.active to true."
        )
    elif not _same(address, session.address):
        session.respond("501 Connections go to your own address only.")
    elif not LOWEST_PORT <= port <= 65535:
        session.respond("501 Not to such a port.")
    else:
        session.data.active(port)


def _same(said: str, peer: str) -> bool:
    try:
        return ipaddress.ip_address(said) == ipaddress.ip_address(peer.removeprefix("::ffff:"))
    except ValueError:
        return False


def _store(session: Session, name: str) -> None:
    _begin(session, name, "150 Send the picture, whole.")


def _store_unique(session: Session, line: str) -> None:
    name = f"{printable(line) or 'snapshot'}.{uuid.uuid4().hex[:8]}"
    _begin(session, name, f"150 FILE: {name}")


def _begin(session: Session, name: str, answer: str) -> None:
    try:
        path = session.fs.path_of(name)
    except OSError as error:
        session.respond(f"550 {error.strerror}.")
    else:
        session.begin(path, answer)


def _retrieve(session: Session, name: str) -> None:
    diary.download(session, name)
    session.respond("550 Pictures can't be read back here.")


def _abort(session: Session, _line: str) -> None:
    transfer = session.data.transfer
    if transfer is not None and transfer.receiving:
        session.respond("426 Upload aborted; nothing was kept.")
        answer = "226 Aborted."
    else:
        answer = "225 Nothing to abort any more."
    session.data.drop()
    session.respond(answer)


def _quit(session: Session, _line: str) -> None:
    data = session.data
    if data.transfer is not None and not data.receiving:
        data.transfer.close()  # its upload was refused, or never asked for
    if session.in_use or data.waiting is not None:
        session.quitting = True  # first the answer to the upload
    else:
        session.leave("221 Goodbye.")


COMMANDS: dict[str, Command] = {
    "USER": Command(login.user, login=False, argument=True),
    "PASS": Command(login.password, login=False),
    "AUTH": Command(secrecy.start_tls, login=False, argument=True),
    "PBSZ": Command(secrecy.buffer_size, login=False),
    "PROT": Command(secrecy.protect, login=False, argument=True),
    "REIN": Command(login.begin_anew, login=False),
    "ACCT": Command(_says("202 Not needed."), login=False),
    "QUIT": Command(_quit, login=False),
    "NOOP": Command(_says("200 Nothing done."), login=False),
    "SYST": Command(_says("215 UNIX Type: L8"), login=False),
    "FEAT": Command(_features, login=False),
    "OPTS": Command(_options, login=False, argument=True),
    "HELP": Command(_says("214 Log in as a camera, then STOR its pictures."), login=False),
    "CLNT": Command(_says("200 Noted."), login=False),
    "STAT": Command(_says("211 Ready.")),
    # A 202, which the RFC allows, makes Dahua cameras hang up.
    "ALLO": Command(_says("200 Go on.")),
    "TYPE": Command(_type, argument=True),
    "MODE": Command(_mode, argument=True),
    "STRU": Command(_mode, argument=True),
    "REST": Command(_rest, argument=True),
    "PASV": Command(_passive),
    "EPSV": Command(_extended_passive),
    "PORT": Command(_port, argument=True),
    "EPRT": Command(_extended_port, argument=True),
    "STOR": Command(_store, argument=True),
    "APPE": Command(_store, argument=True),
    "STOU": Command(_store_unique),
    "RETR": Command(_retrieve, argument=True),
    "SITE": Command(_says("502 There are no commands of this site.")),
    "ABOR": Command(_abort),
    "LIST": Command(names.list_long),
    "NLST": Command(names.list_names),
    "MLSD": Command(names.list_facts),
    "MLST": Command(names.facts),
    "SIZE": Command(names.size, argument=True),
    "MDTM": Command(names.modified, argument=True),
    "DELE": Command(names.delete, argument=True),
    "RNFR": Command(names.rename_from, argument=True),
    "RNTO": Command(names.rename_to, argument=True),
} | {
    word: command
    for words, command in (
        (("CWD", "XCWD"), Command(names.enter, argument=True)),
        (("CDUP", "XCUP"), Command(names.leave)),
        (("PWD", "XPWD"), Command(names.where)),
        (("MKD", "XMKD"), Command(names.make, argument=True)),
        (("RMD", "XRMD"), Command(names.remove_folder, argument=True)),
    )
    for word in words
}
