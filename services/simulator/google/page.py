"""The pages of a simulated Google that people open: its folders, and the consent to logins.

No scripts, everything escaped, and only for a browser that asked for this machine by its own name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape

from services.simulator.google.clock import told
from services.simulator.google.file import File
from services.simulator.google.logins import Denied, Logins
from services.simulator.google.tree import Tree
from services.simulator.google.wire import Answer, Call

_SHOWN = ("image/jpeg", "image/png")
_STYLE = """body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}
main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr))}
a{overflow-wrap:anywhere}img{display:block;max-width:100%;border-radius:.3rem}
small{color:#555}form{display:inline}"""
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MOST = 500
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
"""How a browser is sent to this machine by nobody but a person of it."""


class Pages:
    """One thread at a time."""

    def __init__(self, tree: Tree, logins: Logins, owner: str) -> None:
        self._tree = tree
        self._logins = logins
        self._owner = owner

    def answer(self, call: Call) -> Answer:
        """The page of this path."""
        if not _LOCAL.fullmatch(call.headers.get("host", "")):
            return _page("404", "<p>There is nothing here.", 404)
        if call.method == "POST":
            return self._star(call)
        pages: dict[str, Callable[[Call], Answer]] = {
            "/": self._top,
            "/drive/my-drive": self._top,
            "/o/oauth2/auth": self._consent,
            "/o/oauth2/v2/auth": self._consent,
            "/device": self._device,
        }
        if call.method in ("GET", "HEAD") and call.path in pages:
            return pages[call.path](call)
        return self._file(call.path)

    def star(self, id: str) -> File:
        """Let the owner give a file a star, or take it."""
        file = self._tree.get(id)
        return self._tree.put(replace(file, starred=file.starred ^ {self._owner}))

    def _top(self, call: Call) -> Answer:
        return self._folder(self._tree.root(self._owner))

    def _file(self, path: str) -> Answer:
        found = re.fullmatch(r"/(?:drive/folders|file/d)/([\w-]{1,100})(/view|/content)?", path)
        if not found or not self._tree.has(found[1]):
            return _page("404", "<p>There is no such file.", 404)
        file = self._tree.get(found[1])
        if file.is_folder:
            return self._folder(file)
        return self._content(file) if found[2] == "/content" else self._view(file)

    def _trail(self, file: File) -> str:
        return " / ".join(
            f'<a href="/drive/folders/{each.id}">{escape(each.title)}</a>'
            if each.is_folder
            else escape(each.title)
            for each in reversed([file, *self._tree.above(file)])
        )

    def _folder(self, folder: File) -> Answer:
        inside = [each for each in self._tree.children(folder.id) if not each.trashed]
        inside.sort(key=lambda each: (not each.is_folder, each.title))
        shown = "".join(map(self._entry, inside[:_MOST]))
        more = f"<p>and {len(inside) - _MOST} more" if len(inside) > _MOST else ""
        note = "<small>A simulated Google Drive; nothing of it leaves this machine.</small>"
        count = f"<p>{len(inside)} {'entry' if len(inside) == 1 else 'entries'}. {note}"
        body = f"<h1>{self._trail(folder)}</h1>{count}<main>{shown}</main>{more}"
        return _page(folder.title, body)

    def _entry(self, file: File) -> str:
        name, star = escape(file.title), " ★" if self._owner in file.starred else ""
        if file.is_folder:
            return f'<div>📁 <a href="/drive/folders/{file.id}">{name}</a>{star}</div>'
        path = f"/file/d/{file.id}"
        image = f'<img src="{path}/content" alt="" loading="lazy">' if file.mime in _SHOWN else ""
        size = f"<small>{file.size or 0:,} bytes</small>"
        return f'<div><a href="{path}/view">{image}{name}</a>{star} {size}</div>'

    def _view(self, file: File) -> Answer:
        path, is_starred = f"/file/d/{file.id}", self._owner in file.starred
        image = ""
        if file.mime in _SHOWN:
            image = f'<p><img src="{path}/content" alt="{escape(file.title)}">'
        word = "★ Remove the star" if is_starred else "☆ Give it a star"
        star = f'<form method="post" action="{path}/star"><button>{word}</button></form>'
        facts = {
            "In the trash": "yes" if self._tree.is_trashed(file) else "",
            "Description": file.description,
            "Modified": told(file.modified),
            "Size": f"{file.size or 0:,} bytes",
            "MD5": file.md5,
            **{each.key: each.value for each in file.properties},
        }
        rows = "".join(
            f"<li>{escape(name)}: {escape(value)}" for name, value in facts.items() if value
        )
        return _page(file.title, f"<h1>{self._trail(file)}</h1>{star}{image}<ul>{rows}</ul>")

    def _content(self, file: File) -> Answer:
        """The bytes, which a browser takes for nothing but a picture."""
        headers = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}
        if file.mime in _SHOWN:
            return Answer(200, self._tree.content(file.id), file.mime, headers)
        headers["Content-Disposition"] = "attachment"
        return Answer(200, self._tree.content(file.id), "application/octet-stream", headers)

    def _star(self, call: Call) -> Answer:
        """Give a file the owner's star, or take it, as its own page asks."""
        found = re.fullmatch(r"/file/d/([\w-]{1,100})/star", call.path)
        is_own = call.headers.get("origin") == f"http://{call.headers['host']}"
        if not found or not is_own or not self._tree.has(found[1]):
            return _page("404", "<p>There is no such file.", 404)
        self.star(found[1])
        return Answer(303, headers={"Location": f"/file/d/{found[1]}/view"})

    def _consent(self, call: Call) -> Answer:
        """A consent that asks nothing: whoever comes is the owner."""
        try:
            place = self._logins.authorize(call.query)
        except Denied as error:
            text = f"<h1>Error 400: {escape(error.word)}</h1><p>{escape(error.description)}"
            return _page("Error", text, 400)
        return Answer(302, headers={"Location": place, "Cache-Control": "no-store"})

    def _device(self, call: Call) -> Answer:
        code = call.query.get("user_code", "")
        if not code:
            field = '<label>Code <input name="user_code"></label> <button>Allow</button>'
            return _page("A device", f"<h1>A device wants to log in</h1><form>{field}</form>")
        if not self._logins.answer_device(code):
            return _page("Unknown code", "<h1>Nobody waits for this code.</h1>", 404)
        return _page("Logged in", "<h1>The device is logged in. This page can be closed.</h1>")


def _page(title: str, body: str, status: int = 200) -> Answer:
    text = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{body}</html>'
    )
    return Answer(status, text.encode(), "text/html; charset=UTF-8", _HEADERS)
