"""People and keys in the terminal: ``python -m shared.admin.access user list``, ``… key add``.

Works beside the running services, which notice within a second what is taken away here.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from shared.access import Access, Actor
from shared.access.keys import RATE
from shared.access.people import ADMINISTRATOR, ELSEWHERE
from shared.access.rights import ROLES, SCOPES
from shared.access.tables import Key, Person
from shared.access.visitor import check_cameras
from shared.admin.table import table
from shared.errors import AccessError, SnapbusError
from shared.events import ORGANISATION, now
from shared.journal import Journal
from shared.settings import load

TERMINAL = "terminal"
LONGEST_DAYS = 36_500


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status; 2 when what was asked can't be done."""
    options = _parser().parse_args(arguments)
    try:
        settings = load(options.config)
        options.cameras = settings.cameras
        journal = Journal.open(settings.journal_url, owner=False)
        try:
            told = _COMMANDS[options.of, options.what](Access(journal), options)
        finally:
            journal.close()
    except SnapbusError as error:
        sys.stderr.write(f"{options.of}: {error}\n")
        return 2
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared.admin.access", description=__doc__)
    parser.add_argument("--config", type=Path, help="the YAML file (default: config/snapbus.yml)")
    subs = parser.add_subparsers(dest="of", required=True)
    _people(subs.add_parser("user", help="people").add_subparsers(dest="what", required=True))
    _keys(subs.add_parser("key", help="keys").add_subparsers(dest="what", required=True))
    return parser


def _people(subs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = subs.add_parser("add", help="add somebody; asks for the password, or reads it")
    add.add_argument("--role", choices=list(ROLES), default=ADMINISTRATOR)
    add.add_argument("--organisation", default=ORGANISATION)
    add.add_argument("--elsewhere", action="store_true", help="logs in at a proxy or a provider")
    subs.add_parser("list", help="everybody")
    role = subs.add_parser("role", help="give somebody another role or other cameras")
    password = subs.add_parser("password", help="give somebody another password; ends sessions")
    remove = subs.add_parser("remove", help="remove somebody; ends what they have open")
    for each in (add, role, password, remove):
        each.add_argument("name")
    role.add_argument("role", choices=list(ROLES))
    for each in (add, role):
        each.add_argument("--camera", action="append", help="sees only this one (and others)")


def _keys(subs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = subs.add_parser("add", help="make a key, and show it this once")
    add.add_argument("name")
    add.add_argument("--scope", action="append", choices=list(SCOPES), help="default: read")
    add.add_argument("--camera", action="append", help="sees only this one (and others)")
    add.add_argument("--days", type=int, help="valid for so long; default: without end")
    add.add_argument("--rate", type=int, default=RATE, help="requests a minute")
    add.add_argument("--organisation", default=ORGANISATION)
    subs.add_parser("list", help="all keys, without their secrets")
    rotate = subs.add_parser("rotate", help="give a key another secret, and show it this once")
    overlap = "seconds for which the old secret is taken too (default %(default)s)"
    rotate.add_argument("--overlap", type=int, default=86_400, help=overlap)
    revoke = subs.add_parser("revoke", help="the key is taken no more")
    for each in (rotate, revoke):
        each.add_argument("id", help="as `list` shows it")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("password: ")
    if getpass.getpass("again: ") != first:
        raise AccessError("these were two different passwords")
    return first


def _add_person(access: Access, options: argparse.Namespace) -> str:
    _check_cameras(options, options.organisation)
    access.people.add(
        options.name,
        options.role,
        Actor(TERMINAL, options.organisation),
        cameras=options.camera,
        password="" if options.elsewhere else _password(),
        subject=ELSEWHERE if options.elsewhere else "",
    )
    return f"{options.name} can log in as {options.role}\n"


def _list_people(access: Access, _options: argparse.Namespace) -> str:
    rows = [
        (each.name, each.role, each.organisation, _cameras(each.cameras), f"{each.created_at:%F}")
        for each in access.people.all()
    ]
    return table(("name", "role", "organisation", "cameras", "since"), rows) or "nobody yet\n"


def _set_role(access: Access, options: argparse.Namespace) -> str:
    person = _person(access, options)
    _check_cameras(options, person.organisation)
    access.people.set_role(person, options.role, options.camera, _actor(person))
    return f"{person.name} is {options.role}\n"


def _set_password(access: Access, options: argparse.Namespace) -> str:
    person = _person(access, options)
    access.people.set_password(person, _password(), _actor(person))
    count = access.sessions.end_all(person.name, _actor(person))
    return f"{person.name} has another password; {count} sessions ended\n"


def _remove(access: Access, options: argparse.Namespace) -> str:
    person = _person(access, options)
    access.people.remove(person, _actor(person))
    return f"{person.name} can't log in any more\n"


def _add_key(access: Access, options: argparse.Namespace) -> str:
    _check_cameras(options, options.organisation)
    if options.days is not None and not 1 <= options.days <= LONGEST_DAYS:
        raise AccessError(f"a key is valid for 1 to {LONGEST_DAYS} days, or without end")
    _key, text = access.keys.add(
        options.name,
        options.scope or ["read"],
        Actor(TERMINAL, options.organisation),
        cameras=options.camera,
        expires_at=None if options.days is None else now() + timedelta(days=options.days),
        rate=options.rate,
    )
    return f"{text}\n"


def _list_keys(access: Access, _options: argparse.Namespace) -> str:
    rows = [
        (each.id, each.name, each.scopes, each.organisation, _cameras(each.cameras), _state(each))
        for each in access.keys.all()
    ]
    return table(("id", "name", "scopes", "organisation", "cameras", "state"), rows) or "no keys\n"


def _rotate(access: Access, options: argparse.Namespace) -> str:
    key, overlap = _key(access, options), timedelta(seconds=options.overlap)
    text = access.keys.rotate(key, Actor(TERMINAL, key.organisation), overlap=overlap)
    return f"{text}\n"


def _revoke(access: Access, options: argparse.Namespace) -> str:
    key = _key(access, options)
    access.keys.revoke(key, Actor(TERMINAL, key.organisation))
    return f"key {key.name} is revoked\n"


def _person(access: Access, options: argparse.Namespace) -> Person:
    if person := access.people.get(options.name):
        return person
    raise AccessError(f"there is nobody called {options.name!r}")


def _key(access: Access, options: argparse.Namespace) -> Key:
    if key := access.keys.get(options.id):
        return key
    raise AccessError(f"there is no key {options.id!r}")


def _check_cameras(options: argparse.Namespace, organisation: str) -> None:
    theirs = {n for n, each in options.cameras.items() if each.organisation == organisation}
    check_cameras(options.camera, theirs)


def _actor(person: Person) -> Actor:
    return Actor(TERMINAL, person.organisation)


def _cameras(cameras: str | None) -> str:
    return "all" if cameras is None else cameras or "none"


def _state(key: Key) -> str:
    if key.revoked_at:
        return "revoked"
    return f"until {key.expires_at:%F}" if key.expires_at else "valid"


_COMMANDS: Mapping[tuple[str, str], Callable[[Access, argparse.Namespace], str]] = {
    ("user", "add"): _add_person, ("user", "list"): _list_people, ("user", "role"): _set_role,
    ("user", "password"): _set_password, ("user", "remove"): _remove,
    ("key", "add"): _add_key, ("key", "list"): _list_keys, ("key", "rotate"): _rotate,
    ("key", "revoke"): _revoke,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
