"""A file of a simulated Drive, and how it is told to who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.simulator.google.clock import told

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and which program's. ``service``: a service account, not a person."""

    email: str
    client: str
    scopes: frozenset[str]
    service: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """A custom property; private ones are seen by the program that set them."""

    key: str
    value: str
    visibility: str = "PRIVATE"
    client: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """What is stored of a file or folder. ``drive`` is its shared drive, ``client`` the program
    that made it, ``size`` None for what has no bytes; ``trashed`` says it was put there itself,
    not with its folder."""

    id: str
    title: str
    mime: str
    owner: str
    client: str
    parent: str | None
    created: float
    modified: float
    drive: str | None = None
    size: int | None = None
    md5: str = ""
    sha256: str = ""
    description: str = ""
    starred: frozenset[str] = frozenset()
    trashed: bool = False
    properties: tuple[Property, ...] = ()
    target: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def is_folder(self) -> bool:
        return self.mime == FOLDER

    @property
    def etag(self) -> str:
        return f'"{self.id}/{self.version}"'


def resource(file: File, trashed: bool, caller: Caller, base: str) -> dict[str, Any]:
    """The file as API v2 says it; sizes are texts there. ``trashed``: it, or a folder above."""
    api = f"{base}/drive/v2/files"
    path = f"drive/folders/{file.id}" if file.is_folder else f"file/d/{file.id}/view"
    is_own = file.drive is None
    given: dict[str, Any] = {
        "kind": "drive#file",
        "id": file.id,
        "etag": file.etag,
        "selfLink": f"{api}/{file.id}",
        "alternateLink": f"{base}/{path}",
        "title": file.title,
        "mimeType": file.mime,
        "description": file.description,
        "labels": {
            "starred": caller.email in file.starred,
            "trashed": trashed,
            "hidden": False,
            "restricted": False,
            "viewed": True,
            "modified": True,
        },
        "explicitlyTrashed": file.trashed,
        "createdDate": told(file.created),
        "modifiedDate": told(file.modified),
        "version": str(file.version),
        "parents": _parents(file, api),
        "properties": _properties(file, caller),
        "editable": True,
        "shared": not is_own or len(file.roles) > 0,
        "ownedByMe": is_own and file.owner == caller.email,
        "spaces": ["drive"],
        "quotaBytesUsed": str(file.size or 0 if is_own else 0),
    }
    if is_own:
        given["ownerNames"] = [file.owner]
        given["owners"] = [{"kind": "drive#user", "emailAddress": file.owner}]
    else:
        given |= {"driveId": file.drive, "teamDriveId": file.drive}
    return given | _content(file, api)


def _parents(file: File, api: str) -> list[dict[str, Any]]:
    if file.parent is None:
        return []
    return [
        {
            "kind": "drive#parentReference",
            "id": file.parent,
            "parentLink": f"{api}/{file.parent}",
            "isRoot": file.drive is None and file.parent.startswith("0A"),
        }
    ]


def _properties(file: File, caller: Caller) -> list[dict[str, str]]:
    return [
        {
            "kind": "drive#property",
            "key": each.key,
            "value": each.value,
            "visibility": each.visibility,
        }
        for each in file.properties
        if each.visibility == "PUBLIC" or each.client == caller.client
    ]


def _content(file: File, api: str) -> dict[str, Any]:
    if file.target is not None:
        return {"shortcutDetails": {"targetId": file.target}}
    if file.size is None:
        return {}
    return {
        "originalFilename": file.title,
        "fileExtension": file.title.rpartition(".")[2] if "." in file.title else "",
        "downloadUrl": f"{api}/{file.id}?alt=media",
        "headRevisionId": f"{file.id}-{file.md5[:8]}",
        "fileSize": str(file.size),
        "md5Checksum": file.md5,
        "sha256Checksum": file.sha256,
    }
