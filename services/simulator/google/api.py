"""The paths of Google that programs ask: which operation each is, and its answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from services.simulator.google.file import Caller, File
from services.simulator.google.files import Files
from services.simulator.google.listing import Listing
from services.simulator.google.logins import Denied, Logins
from services.simulator.google.mask import masked
from services.simulator.google.uploads import Uploads
from services.simulator.google.wire import Answer, Call, Refusal, answer, invalid

_ID = r"/([\w.@-]{1,100})"
_FILES = r"/drive/v2/files"
_UPLOAD = r"(?:/resumable)?/upload/drive/v2/files"
_ROUTES = tuple(
    (method, re.compile(path), operation)
    for method, path, operation in (
        ("POST", r"/token|/oauth2/v[34]/token|/o/oauth2/token", "token"),
        ("POST", r"/device/code|/o/oauth2/device/code", "device"),
        ("POST", r"/revoke|/o/oauth2/revoke", "revoke"),
        ("GET", r"/revoke|/o/oauth2/revoke", "revoke"),
        ("GET", r"/drive/v2/about", "about"),
        ("GET", r"/drive/v2/drives", "drives"),
        ("GET", _FILES, "files.list"),
        ("POST", _FILES, "files.insert"),
        ("GET", f"{_FILES}/generateIds", "files.generateIds"),
        ("DELETE", f"{_FILES}/trash", "files.emptyTrash"),
        ("GET", f"{_FILES}{_ID}", "files.get"),
        ("PATCH", f"{_FILES}{_ID}", "files.patch"),
        ("PUT", f"{_FILES}{_ID}", "files.patch"),
        ("DELETE", f"{_FILES}{_ID}", "files.delete"),
        ("POST", f"{_FILES}{_ID}/trash", "files.trash"),
        ("POST", f"{_FILES}{_ID}/untrash", "files.untrash"),
        ("POST", f"{_FILES}{_ID}/copy", "files.copy"),
        ("GET", f"{_FILES}{_ID}/export", "files.export"),
        ("GET", f"{_FILES}{_ID}/permissions", "permissions.list"),
        ("POST", f"{_FILES}{_ID}/permissions", "permissions.insert"),
        ("DELETE", f"{_FILES}{_ID}/permissions{_ID}", "permissions.delete"),
        ("POST", _UPLOAD, "upload.begin"),
        ("PUT", _UPLOAD, "upload.put"),
        ("PUT", f"{_UPLOAD}{_ID}", "upload.put"),
    )
)


def operation_of(call: Call) -> tuple[str, str]:
    """Which operation a call is, and the id in its path; none for no path of Google's."""
    for method, path, operation in _ROUTES:
        if method == call.method and (found := path.fullmatch(call.path)):
            id = found[1] if path.groups else ""
            if operation == "files.get" and call.query.get("alt") == "media":
                operation = "files.media"
            if operation == "upload.put" and "upload_id" not in call.query:
                operation = "upload.begin"
            return operation, id or ""
    return "", ""


@dataclass(slots=True)
class Api:
    """One thread at a time."""

    files: Files
    listing: Listing
    uploads: Uploads
    logins: Logins

    def answer(self, call: Call, operation: str, id: str) -> Answer:
        """The answer. Raises Refusal."""
        if operation in ("token", "device", "revoke"):
            return self._login(call, operation)
        if operation == "upload.put":
            return self.uploads.put(call)
        caller = self.logins.caller(call.headers.get("authorization", ""))
        if operation == "upload.begin":
            return self.uploads.begin(call, caller, id)
        if operation == "files.media":
            return self._media(call, caller, id)
        does = self._operations()[operation]
        given = does(call, caller, id)
        if given is None:
            return Answer(204)
        if operation == "files.get" and call.headers.get("if-none-match") == given["etag"]:
            return Answer(304)
        return answer(masked(given, call.query.get("fields", "")))

    def _operations(self) -> dict[str, Callable[[Call, Caller, str], Any]]:
        files = self.files

        def told(file: File, call: Call, caller: Caller) -> dict[str, Any]:
            return files.told(file, caller, call.base)

        return {
            "about": self._about,
            "drives": self._drives,
            "files.list": lambda call, caller, _: self.listing.page(call, caller),
            "files.get": lambda call, who, id: told(files.see(id, who, call), call, who),
            "files.insert": lambda call, who, _: told(
                files.insert(files.checked(call.json(), who, call, 0), None), call, who
            ),
            "files.patch": lambda call, who, id: told(
                files.patch(id, call.json(), who, call), call, who
            ),
            "files.delete": lambda call, who, id: files.delete(id, who, call),
            "files.trash": lambda call, who, id: told(files.trash(id, who, call, True), call, who),
            "files.untrash": lambda call, who, id: told(
                files.trash(id, who, call, False), call, who
            ),
            "files.copy": lambda call, who, id: told(
                files.copy(id, call.json(), who, call), call, who
            ),
            "files.generateIds": self._ids,
            "files.export": self._export,
            "files.emptyTrash": lambda call, who, _: files.empty_trash(who),
            "permissions.list": lambda call, who, id: files.roles(id, who, call),
            "permissions.insert": lambda call, who, id: files.allow(id, call.json(), who, call),
            "permissions.delete": lambda call, who, id: files.forbid(
                id, call.path.rpartition("/")[2], who, call
            ),
        }

    def _login(self, call: Call, operation: str) -> Answer:
        form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
        try:
            if operation == "token":
                return answer(self.logins.token(form))
            if operation == "device":
                return answer(self.logins.device(form, call.base))
        except Denied as error:
            return denial(error)
        self.logins.revoke(form.get("token") or call.query.get("token", ""))
        return answer({})

    def _about(self, call: Call, caller: Caller, _: str) -> dict[str, Any]:
        tree = self.files.tree
        return {
            "kind": "drive#about",
            "name": caller.email.partition("@")[0],
            "user": {
                "kind": "drive#user",
                "emailAddress": caller.email,
                "isAuthenticatedUser": True,
            },
            "rootFolderId": tree.root(caller.email).id,
            "quotaType": "LIMITED",
            "quotaBytesTotal": "0" if caller.service else str(tree.quota),
            "quotaBytesUsed": "0" if caller.service else str(tree.used),
            "quotaBytesUsedAggregate": "0" if caller.service else str(tree.used),
            "quotaBytesUsedInTrash": "0",
        }

    def _drives(self, call: Call, caller: Caller, _: str) -> dict[str, Any]:
        seen = [id for id, roles in self.files.drives.items() if caller.email in roles]
        items = [
            {"kind": "drive#drive", "id": id, "name": self.files.tree.get(id).title} for id in seen
        ]
        return {"kind": "drive#driveList", "items": items}

    def _ids(self, call: Call, caller: Caller, _: str) -> dict[str, Any]:
        wanted = call.query.get("maxResults", "10")
        if not wanted.isdecimal() or not 0 < int(wanted[:5]) <= 1000:
            raise invalid("maxResults")
        ids = [self.files.new_id() for _ in range(int(wanted))]
        return {"kind": "drive#generatedIds", "space": "drive", "ids": ids}

    def _export(self, call: Call, caller: Caller, id: str) -> None:
        self.files.see(id, caller, call)
        raise Refusal(403, "fileNotExportable", "Export only supports Docs Editors files.")

    def _media(self, call: Call, caller: Caller, id: str) -> Answer:
        file = self.files.see(id, caller, call)
        if file.size is None:
            message = "Only files with binary content can be downloaded."
            raise Refusal(403, "fileNotDownloadable", message)
        content = self.files.tree.content(file.id)
        asked = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", call.headers.get("range", ""))
        if not asked:
            return Answer(200, content, file.mime)
        first = int(asked[1])
        if first >= len(content):
            return Answer(416, headers={"Content-Range": f"bytes */{len(content)}"})
        part = content[first : int(asked[2]) + 1 if asked[2] else None]
        place = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        return Answer(206, part, file.mime, {"Content-Range": place})


def denial(error: Denied) -> Answer:
    """What OAuth refuses, in its JSON."""
    return answer({"error": error.word, "error_description": error.description}, error.status)
