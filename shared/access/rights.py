"""What may be done, and which roles of people and scopes of keys allow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from shared.errors import AccessError


class Right(StrEnum):
    """One thing that somebody may do."""

    READ = "read"  # see pictures, events and the state
    REQUEST = "request"  # ask a camera for a picture
    OPERATE = "operate"  # try again what was given up
    ADMINISTER = "administer"  # people, keys and the audit log
    INGEST = "ingest"  # bring pictures of one camera


ALL = frozenset(Right) - {Right.INGEST}
ROLES: Mapping[str, frozenset[Right]] = {
    "viewer": frozenset({Right.READ}),
    "operator": frozenset({Right.READ, Right.REQUEST, Right.OPERATE}),
    "administrator": ALL,
}
SCOPES: Mapping[str, frozenset[Right]] = {
    "read": frozenset({Right.READ}),
    "ingest": frozenset({Right.INGEST}),
    "request": frozenset({Right.REQUEST}),
    "administer": ALL,
}


def of_role(role: str) -> frozenset[Right]:
    """The rights of a role. Raises AccessError when there is none of that name."""
    if role not in ROLES:
        raise AccessError(f"there is no role {role!r}: take one of {', '.join(ROLES)}")
    return ROLES[role]


def of_scopes(scopes: Iterable[str]) -> frozenset[Right]:
    """The rights of several scopes. Raises AccessError when one is unknown, or there is none."""
    rights: frozenset[Right] = frozenset()
    for scope in scopes:
        if scope not in SCOPES:
            raise AccessError(f"there is no scope {scope!r}: take some of {', '.join(SCOPES)}")
        rights |= SCOPES[scope]
    if not rights:
        raise AccessError(f"a key needs a scope: take some of {', '.join(SCOPES)}")
    return rights
