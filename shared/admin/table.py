"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from shared.text import escaped


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows under their heads in columns; empty without rows."""
    if not rows:
        return ""
    cells = [list(head), *([escaped(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join(lines) + "\n"
