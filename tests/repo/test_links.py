"""Links between documents lead somewhere: to a file of the repository, and to a heading in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(document: str) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def dead(document: Path, text: str) -> Iterator[str]:
    """The links of a document that lead nowhere."""
    for file, anchor in LINK.findall(CODE.sub("", text)):
        target = (document.parent / file).resolve() if file else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            yield f"{file}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert list(dead(document, document.read_text("utf-8"))) == []


def test_a_dead_link_is_seen() -> None:
    text = "[a](LICENSE), [b](none.md), [c](README.md#none), [d](https://example.org), `[e](f)`"

    assert list(dead(ROOT / "README.md", text)) == ["none.md#", "README.md#none"]
