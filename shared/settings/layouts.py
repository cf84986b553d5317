"""Layouts: how cameras write their names, as patterns that a person reads and writes.

A pattern is what a camera's own settings show: text, the codes of strftime for the time, and
``{camera}``, ``{trigger}``, ``{n}`` (digits), ``{any}``. It is no regular expression, so that no
pattern can take for ever: texts are short and few, and nothing repeats.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.events import Trigger
from shared.settings.section import Section

MOST_TEXTS = 3
"""Parts of one pattern that have no length of their own: each multiplies the work of a match."""
LONGEST_TEXT = 64
LONGEST_PATTERN = 200
DEEPEST_PATTERN = 8

CODES = {
    "Y": r"20\d\d",
    "y": r"\d\d",
    "m": r"\d\d",
    "d": r"\d\d",
    "H": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "f": r"\d{1,6}",
    "s": r"1\d{9}(?:\d{3})?",
}
"""The codes of a time: year, its last two digits, month, day, hour, minute, second, the digits
behind it, and seconds (or milliseconds) since 1970."""
TEXTS = {
    "camera": rf"[^/]{{1,{LONGEST_TEXT}}}?",
    "trigger": rf"[^/]{{1,{LONGEST_TEXT}}}",
    "any": rf"[^/]{{0,{LONGEST_TEXT}}}?",
    "n": r"\d{1,20}",
}

_TOKEN = re.compile(r"%(?P<code>.)|\{(?P<text>[^{}]*)\}|(?P<plain>[^%{}]+|[{}%])", re.DOTALL)
_ENDING = re.compile(r"(?i)\.(jpe?g|png)$")
_MOMENT = {"m", "d", "H", "M"}


def expression(pattern: str, prefix: str = "") -> str:
    """The regular expression of a pattern; its groups are ``prefix`` and the name of a code or a
    text. Where one stands twice, the last counts. Raises ValueError, which says what is wrong."""
    tokens = [found.groupdict() for found in _TOKEN.finditer(_ENDING.sub("", pattern))]
    _check(pattern, tokens)
    last = {token["code"] or token["text"]: at for at, token in enumerate(tokens)}
    parts: list[str] = []
    for at, token in enumerate(tokens):
        code, text = token["code"], token["text"]
        if token["plain"] is not None:
            parts.append(re.escape(token["plain"]))
            continue
        if code == "%":
            parts.append("%")
            continue
        name, body = (code, CODES[code]) if code else (text, TEXTS[text])
        named = last[name] == at and name not in ("any", "n")
        group = f"(?P<{prefix}{name}>{body})" if named else f"(?:{body})"
        if code and _is_text(tokens[at - 1 : at]):
            parts.append(r"(?<!\d)")  # a time does not begin within digits of a text
        parts.append(group)
        if code and _is_text(tokens[at + 1 : at + 2]):
            parts.append(r"(?!\d)")
    return "".join(parts)


def _is_text(tokens: list[dict[str, str | None]]) -> bool:
    return bool(tokens) and tokens[0]["text"] in ("camera", "trigger", "any")


def _check(pattern: str, tokens: list[dict[str, str | None]]) -> None:
    codes = {token["code"] for token in tokens if token["code"]} - {"%"}
    texts = [token["text"] for token in tokens if token["text"] is not None]
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        raise ValueError(f"a pattern has 1 to {LONGEST_PATTERN} characters")
    if unknown := codes - set(CODES):
        known = ", ".join(f"%{each}" for each in CODES)
        raise ValueError(f"%{min(unknown)} is no code of a time here; there are {known}")
    if strange := [each for each in texts if each not in TEXTS]:
        raise ValueError(
            f"{{{strange[0]}}} is not known; there are {', '.join(f'{{{each}}}' for each in TEXTS)}"
        )
    if any(token["plain"] in ("{", "}", "%") for token in tokens):
        raise ValueError("a brace or percent sign stands alone; write %% for a percent sign")
    if sum(each != "n" for each in texts) > MOST_TEXTS:
        raise ValueError(f"at most {MOST_TEXTS} of {{camera}}, {{trigger}}, {{any}} in a pattern")
    for this, following in pairwise(tokens):
        if this["text"] is not None and following["text"] is not None:
            raise ValueError("two of {…} side by side: put text between them")
    if pattern.count("/") > DEEPEST_PATTERN or "//" in pattern or pattern.startswith("/"):
        raise ValueError(f"folders are written as a/b/c, at most {DEEPEST_PATTERN} of them")
    if not (codes or {"camera", "trigger"} & set(texts)):
        raise ValueError("it tells nothing: it has no {camera}, no {trigger} and no time")
    if codes and "s" not in codes and not (codes >= _MOMENT and {"Y", "y"} & codes):
        raise ValueError("a time needs %Y (or %y), %m, %d, %H and %M at least, or %s")


def _checked(pattern: str) -> str:
    expression(pattern)
    return pattern


class LayoutSection(Section):
    """How cameras of yours name their files, where Snapbus does not know it already."""

    pattern: Annotated[str, AfterValidator(_checked)] = Field(
        description="of the last folders and the name without its ending, such as"
        " {camera}/%Y-%m-%d/{trigger}_%H%M%S; also {any} and {n} (digits)"
    )
    triggers: dict[str, Trigger] = Field(
        default_factory=dict,
        max_length=100,
        description="what its words for {trigger} mean, such as ZONE1: intrusion",
    )
    trigger: Trigger = Field("", description="why all pictures of this layout were taken")
