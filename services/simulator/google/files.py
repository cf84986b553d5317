"""What a caller may do with the files of a simulated Drive."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from hashlib import md5, sha256
from typing import Any

from services.simulator.google.changes import changed
from services.simulator.google.clock import Clock
from services.simulator.google.file import FOLDER, SHORTCUT, Caller, File, resource
from services.simulator.google.logins import DRIVE, FILE_ONLY
from services.simulator.google.shelf import Shelf
from services.simulator.google.tree import Tree
from services.simulator.google.wire import Call, Refusal, invalid, not_found

WRITERS = ("owner", "organizer", "fileOrganizer", "writer")


class Files:
    """One thread at a time. ``drives`` are the shared drives, with the roles of their members."""

    def __init__(self, tree: Tree, shelf: Shelf, clock: Clock) -> None:
        self.tree = tree
        self._clock = clock
        self._shelf = shelf
        self._secret = bytes.fromhex(shelf.word("ids") or secrets.token_hex(16))
        shelf.note("ids", self._secret.hex())
        self.drives: dict[str, dict[str, str]] = shelf.word("drives") or {}

    def share(self, drive: str, roles: dict[str, str]) -> None:
        """Let these be the members of a shared drive."""
        self.drives[drive] = roles
        self._shelf.note("drives", self.drives)

    def new_id(self) -> str:
        """An id that may be given to a new file."""
        start = f"1{secrets.token_urlsafe(15)}"
        return start + self._proof(start)

    def see(self, id: str, caller: Caller, call: Call) -> File:
        """A file that this caller may read; ``root`` is the caller's. Raises Refusal."""
        file = self.tree.root(caller.email) if id == "root" else self.tree.get(id)
        all_drives = call.flag("supportsAllDrives") or call.flag("supportsTeamDrives")
        if not self.sees(file, caller) or (file.drive and not all_drives):
            raise not_found(id)
        return file

    def sees(self, file: File, caller: Caller) -> bool:
        """Whether this caller may know of the file."""
        scopes = caller.scopes
        if not scopes & {DRIVE, f"{DRIVE}.readonly", FILE_ONLY}:
            raise Refusal(403, "insufficientPermissions", "Insufficient Permission")
        is_foreign = file.parent is not None and file.client != caller.client
        if is_foreign and not scopes & {DRIVE, f"{DRIVE}.readonly"}:
            return False
        return self.role(file, caller) is not None

    def role(self, file: File, caller: Caller) -> str | None:
        """What this caller is to the file."""
        if file.drive:
            return self.drives[file.drive].get(caller.email)
        if file.owner == caller.email:
            return "owner"
        for each in (file, *self.tree.above(file)):
            if caller.email in each.roles:
                return each.roles[caller.email]
        return None

    def need(self, file: File, caller: Caller, roles: tuple[str, ...] = WRITERS) -> None:
        """Raises Refusal unless the caller is one of these to the file."""
        if not caller.scopes & {DRIVE, FILE_ONLY}:
            raise Refusal(403, "insufficientPermissions", "Insufficient Permission")
        if self.role(file, caller) not in roles:
            message = "The user does not have sufficient permissions for this file."
            raise Refusal(403, "insufficientFilePermissions", message)

    def checked(self, body: Mapping[str, Any], caller: Caller, call: Call, size: int) -> File:
        """The new file that a call describes, not yet held. Raises Refusal."""
        parents = body.get("parents") or [{"id": "root"}]
        if not isinstance(parents, list) or not all(isinstance(each, dict) for each in parents):
            raise invalid("parents")
        if len(parents) > 1:
            raise _second_parent()
        folder = self.see(str(parents[0].get("id")), caller, call)
        if not folder.is_folder:
            raise Refusal(403, "parentNotAFolder", "The specified parent is not a folder.")
        self.need(folder, caller)
        if caller.service and folder.drive is None and size:
            message = "Service Accounts do not have storage quota."
            raise Refusal(403, "storageQuotaExceeded", message, "usageLimits")
        now, target = self._clock.now(), body.get("shortcutDetails")
        file = File(
            id=self._id(body.get("id")),
            title="Untitled",
            mime=SHORTCUT if target else "application/octet-stream",
            owner=folder.owner if folder.drive is None else folder.drive,
            client=caller.client,
            parent=folder.id,
            created=now,
            modified=now,
            drive=folder.drive,
            target=str(target["targetId"]) if isinstance(target, dict) else None,
        )
        return changed(file, body, caller, is_new=True)

    def insert(self, file: File, content: bytes | None) -> File:
        """Hold a checked file. Raises Refusal."""
        if self.tree.has(file.id):
            raise _taken()
        if file.parent is not None:
            self.tree.get(file.parent)  # it may have been deleted since
        return self._held(file, content)

    def write(self, file: File, content: bytes) -> File:
        """Hold new bytes of a file."""
        return self._held(replace(file, modified=self._clock.now()), content)

    def patch(self, id: str, body: Mapping[str, Any], caller: Caller, call: Call) -> File:
        """Change what is said of a file, and where it is. Raises Refusal."""
        file = self.see(id, caller, call)
        if call.headers.get("if-match", file.etag) not in (file.etag, "*"):
            raise Refusal(412, "conditionNotMet", "Precondition Failed")
        self.need(file, caller)
        sets_time = call.flag("setModifiedDate") or call.query.get(
            "modifiedDateBehavior", ""
        ).startswith("fromBody")
        new = changed(file, body, caller, now=self._clock.now(), sets_time=sets_time)
        return self.tree.put(self._moved(new, body, caller, call))

    def _moved(self, file: File, body: Mapping[str, Any], caller: Caller, call: Call) -> File:
        added = [each for each in call.query.get("addParents", "").split(",") if each]
        removed = [each for each in call.query.get("removeParents", "").split(",") if each]
        if "parents" in body:
            added = [str(each.get("id")) for each in body["parents"]]
            removed = [file.parent or ""]
        folders = [self.see(each, caller, call) for each in added]
        removed = [self.see(each, caller, call).id if each == "root" else each for each in removed]
        stays = file.parent if file.parent not in removed else None
        places = list(dict.fromkeys([*filter(None, [stays]), *(each.id for each in folders)]))
        if len(places) > 1:
            raise _second_parent()
        for folder in folders:
            self.need(folder, caller)
            if not folder.is_folder:
                raise Refusal(403, "parentNotAFolder", "The specified parent is not a folder.")
            if file.id in (folder.id, *(each.id for each in self.tree.above(folder))):
                raise Refusal(403, "cannotAddParent", "A folder can't be within itself.")
            file = replace(file, drive=folder.drive)
        if not added and not removed:
            return file
        return replace(file, parent=places[0] if places else self.tree.root(file.owner).id)

    def trash(self, id: str, caller: Caller, call: Call, trashed: bool) -> File:
        """Put a file into the trash, or take it out. Raises Refusal."""
        file = self.see(id, caller, call)
        self.need(file, caller, ("owner", "organizer", "fileOrganizer"))
        return self.tree.put(replace(file, trashed=trashed))

    def delete(self, id: str, caller: Caller, call: Call) -> None:
        """Delete a file for good. Raises Refusal."""
        file = self.see(id, caller, call)
        self.need(file, caller, ("owner", "organizer"))
        if file.parent is None:
            raise Refusal(403, "insufficientFilePermissions", "The root can't be deleted.")
        self.tree.drop(file.id)

    def copy(self, id: str, body: Mapping[str, Any], caller: Caller, call: Call) -> File:
        """A copy of a file. Raises Refusal."""
        file = self.see(id, caller, call)
        if file.mime == FOLDER:
            raise Refusal(403, "cannotCopyFile", "This file cannot be copied by the user.")
        given = {"title": file.title, "mimeType": file.mime, "parents": [{"id": file.parent}]}
        new = self.checked({**given, **body}, caller, call, file.size or 0)
        return self.insert(new, self.tree.content(id) if file.size is not None else None)

    def empty_trash(self, caller: Caller) -> None:
        """Delete for good what this caller put into the trash."""
        for file in self.tree.every():
            if file.trashed and file.owner == caller.email and self.tree.has(file.id):
                self.tree.drop(file.id)

    def roles(self, id: str, caller: Caller, call: Call) -> dict[str, Any]:
        """Who may do what with a file. Raises Refusal."""
        file = self.see(id, caller, call)
        given = self.drives[file.drive] if file.drive else {file.owner: "owner", **file.roles}
        items = [
            {"kind": "drive#permission", "id": who, "type": "user", "role": role,
             "emailAddress": who}
            for who, role in given.items()
        ]  # fmt: skip
        return {"kind": "drive#permissionList", "items": items}

    def allow(self, id: str, body: Mapping[str, Any], caller: Caller, call: Call) -> dict[str, Any]:
        """Give another the right to a file. Raises Refusal."""
        file = self.see(id, caller, call)
        self.need(file, caller)
        who, role = body.get("value"), body.get("role")
        if not isinstance(who, str) or role not in ("reader", "writer"):
            raise invalid("permission")
        self.tree.put(replace(file, roles={**file.roles, who: role}))
        return {"kind": "drive#permission", "id": who, "type": "user", "role": role}

    def forbid(self, id: str, who: str, caller: Caller, call: Call) -> None:
        """Take another's right to a file. Raises Refusal."""
        file = self.see(id, caller, call)
        self.need(file, caller)
        if who not in file.roles:
            raise Refusal(404, "notFound", "Permission not found")
        roles = {each: role for each, role in file.roles.items() if each != who}
        self.tree.put(replace(file, roles=roles))

    def told(self, file: File, caller: Caller, base: str) -> dict[str, Any]:
        """The file as an answer."""
        return resource(file, self.tree.is_trashed(file), caller, base)

    def _held(self, file: File, content: bytes | None) -> File:
        if content is not None:
            sums = md5(content, usedforsecurity=False).hexdigest(), sha256(content).hexdigest()
            file = replace(file, size=len(content), md5=sums[0], sha256=sums[1])
        return self.tree.put(file, content)

    def _id(self, given: object) -> str:
        if given is None:
            return self.new_id()
        text = str(given)
        if not hmac.compare_digest(self._proof(text[:21]).encode(), text[21:].encode()):
            raise Refusal(400, "invalid", "The provided file ID is not usable.")
        if self.tree.has(text):
            raise _taken()
        return text

    def _proof(self, start: str) -> str:
        return hmac.new(self._secret, start.encode(), sha256).hexdigest()[:12]


def _second_parent() -> Refusal:
    message = "Increasing the number of parents is not allowed"
    return Refusal(403, "cannotAddParent", message)


def _taken() -> Refusal:
    return Refusal(409, "fileIdInUse", "A file already exists with the provided ID.")
