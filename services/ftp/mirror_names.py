"""Names of a mirror: what a camera called its file, made safe for every disk and share."""

from __future__ import annotations

import re

MOST_FOLDERS = 10
MOST_BYTES = 180
"""Of one name, in UTF-8: less than any file system takes, so that it can be lengthened."""

_STRANGE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_TEMPORARY = re.compile(r"(?i)(\.(te?mp|part|partial|filepart|upload|new)|(?<=\.jpg)_)+$")
_PICTURE = re.compile(r"(?i)\.(jpe?g|png)$")


def safe_path(name: str, media_type: str) -> tuple[str, ...]:
    """The folders and the name of a copy. None of them is hidden, leaves its folder, or is empty;
    the last ends as a picture of its type does."""
    elements = [each for each in name.replace("\\", "/").split("/") if each not in ("", ".", "..")]
    *folders, own = elements or ["picture"]
    own = _TEMPORARY.sub("", own)
    ending = ".png" if media_type == "image/png" else ".jpg"
    stem, found = _PICTURE.sub("", own), _PICTURE.search(own)
    last = _safe(stem) + (found[0] if found else ending)
    return (*(_safe(each) for each in folders[-MOST_FOLDERS:]), last)


def _safe(name: str) -> str:
    text = "".join(each if each.isprintable() else "_" for each in _STRANGE.sub("_", name))
    text = text.encode(errors="replace")[:MOST_BYTES].decode(errors="ignore")
    return text.strip(". ").lstrip("~") or "_"
