"""The pages of a simulated Google that people open: its folders, and the consent to logins.

No scripts, everything escaped, only for browsers that asked for this machine by a name of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
small{color:#555}"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_MOST = 500


def answer(call: Call, tree: Tree, logins: Logins, owner: str) -> Answer:
    """The page of this path."""
    if call.method not in ("GET", "HEAD") or not _is_local(call.headers.get("host", "")):
        return _page("404", "<p>There is nothing here.", 404)
    if call.path in ("/o/oauth2/auth", "/o/oauth2/v2/auth", "/auth"):
        return _consent(call.query, logins)
    if call.path == "/device":
        return _device(call.query, logins)
    if call.path in ("/", "/drive", "/drive/my-drive"):
        return _folder(tree.root(owner), tree, owner)
    found = re.fullmatch(r"/(?:drive/folders|file/d)/([\w.-]{1,100})(/view|/content)?", call.path)
    if not found or not tree.has(found[1]):
        return _page("404", "<p>There is no such file.", 404)
    file = tree.get(found[1])
    if file.is_folder:
        return _folder(file, tree, owner)
    return _content(file, tree) if found[2] == "/content" else _view(file, tree, owner)


def _is_local(host: str) -> bool:
    """Whether the browser was sent to this machine by a name that nobody else can give it."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return name in ("localhost", "127.0.0.1", "[::1]", "simulator")


def _page(title: str, body: str, status: int = 200) -> Answer:
    text = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{body}</html>'
    )
    return Answer(status, text.encode(), "text/html; charset=UTF-8", _HEADERS)


def _trail(file: File, tree: Tree) -> str:
    above = [file, *tree.above(file)]
    return " / ".join(
        f'<a href="/drive/folders/{escape(each.id)}">{escape(each.title)}</a>'
        if each.is_folder
        else escape(each.title)
        for each in reversed(above)
    )


def _folder(folder: File, tree: Tree, owner: str) -> Answer:
    inside = [each for each in tree.children(folder.id) if not each.trashed]
    inside.sort(key=lambda each: (not each.is_folder, each.title))
    shown = "".join(_entry(each, owner) for each in inside[:_MOST])
    more = f"<p>and {len(inside) - _MOST} more" if len(inside) > _MOST else ""
    note = "<p><small>A simulated Google Drive; nothing of it leaves this machine.</small>"
    body = (
        f"<h1>{_trail(folder, tree)}</h1>{note}<p>{len(inside)} entries<main>{shown}</main>{more}"
    )
    return _page(folder.title, body)


def _entry(file: File, owner: str) -> str:
    name, star = escape(file.title), " ★" if owner in file.starred else ""
    if file.is_folder:
        return f'<div>📁 <a href="/drive/folders/{escape(file.id)}">{name}</a>{star}</div>'
    path = f"/file/d/{escape(file.id)}"
    image = ""
    if file.mime in _SHOWN:
        image = f'<img src="{path}/content" alt="" loading="lazy">'
    size = f"<small>{file.size or 0:,} bytes</small>"
    return f'<div><a href="{path}/view">{image}{name}</a>{star} {size}</div>'


def _view(file: File, tree: Tree, owner: str) -> Answer:
    path = f"/file/d/{escape(file.id)}/content"
    image = f'<img src="{path}" alt="{escape(file.title)}">' if file.mime in _SHOWN else ""
    facts = {
        "Starred": "yes" if owner in file.starred else "no",
        "In the trash": "yes" if tree.is_trashed(file) else "no",
        "Description": file.description,
        "Modified": told(file.modified),
        "Size": f"{file.size or 0:,} bytes",
        "MD5": file.md5,
        **{each.key: each.value for each in file.properties},
    }
    rows = "".join(f"<li>{escape(name)}: {escape(value)}" for name, value in facts.items() if value)
    return _page(file.title, f"<h1>{_trail(file, tree)}</h1>{image}<ul>{rows}</ul>")


def _content(file: File, tree: Tree) -> Answer:
    """The bytes, which a browser takes for nothing but a picture."""
    headers = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}
    if file.mime in _SHOWN:
        return Answer(200, tree.content(file.id), file.mime, headers)
    headers["Content-Disposition"] = "attachment"
    return Answer(200, tree.content(file.id), "application/octet-stream", headers)


def _consent(query: Mapping[str, str], logins: Logins) -> Answer:
    """A consent that asks nothing: whoever comes is the owner."""
    try:
        place = logins.authorize(query)
    except Denied as error:
        return _page(
            "Error", f"<h1>Error 400: {escape(error.word)}</h1>{escape(error.description)}", 400
        )
    return Answer(302, headers={"Location": place, "Cache-Control": "no-store"})


def _device(query: Mapping[str, str], logins: Logins) -> Answer:
    code = query.get("user_code", "")
    if not code:
        form = '<form><input name="user_code" aria-label="Code"><button>Allow</button></form>'
        headers = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; form-action 'self'"}
        return Answer(200, f"<!DOCTYPE html>{form}".encode(), "text/html; charset=UTF-8", headers)
    if not logins.answer_device(code):
        return _page("Unknown code", "<h1>Nobody waits for this code.</h1>", 404)
    return _page("Device connected", "<h1>The device is connected. You can close this page.</h1>")
