"""The page of docs/ref on the names of older programs, made by translating each."""

from __future__ import annotations

from collections.abc import Iterator

from shared.older.names import CONTAINED, COUNT, NAMES, SAME, SECRET, SETTINGS, SLOTS
from shared.older.sources import Said
from shared.older.translate import Translation, translate


def older_page(note: str) -> str:
    """Every name and what becomes of it."""
    keys = (name for name in (*SETTINGS, *_KEYS) if name.startswith("["))
    rows = [
        *(_row(f"`{name}`", _fate(name), _hands_on(name)) for name in NAMES if name not in SLOTS),
        *(
            _row(f"`{kind}_1_{what}` … `{kind}_{COUNT}_{what}`", _fate(f"{kind}_1_{what}"), "yes")
            for kind in ("INPUT", "OUTPUT")
            for what in ("LOCATION", "TYPE")
        ),
        *(_row(f"`{name}`", _fate(name), "as a file") for name in dict.fromkeys(keys)),
        *(_row(f"`{key}`", f"as `{name}`", "as a file") for key, name in SAME.items()),
    ]
    lines = [
        "# Names of older programs",
        f"*{note}*",
        "Understood in the environment, and in an `app.conf` beside `snapbus.yml`, whose keys "
        "stand here as `[section] key`. They are weaker than our own variables and stronger than "
        "`snapbus.yml`, but for cameras that it describes. The start says which were found, and "
        "what became of each. Compose hands on those marked so; passwords it takes as files.",
        "\n".join(["| name | what becomes of it | handed on |", "|---|---|---|", *rows]),
    ]
    return "\n\n".join(lines) + "\n"


_KEYS = (
    "[creds] cronitor", "[creds] sentry_dsn", "[gdrive] creds_file", "[camera] default_command",
)  # fmt: skip


def _row(name: str, fate: str, handed_on: str) -> str:
    return f"| {name} | {fate} | {handed_on} |"


def _hands_on(name: str) -> str:
    if name in SECRET:
        return "no, a secret"
    return "yes" if name in CONTAINED else "no"


def _fate(name: str) -> str:
    """As the start would tell it, with the names beside it that it needs."""
    known = {
        "CAMERA_": {"CAMERA_IP": "192.0.2.1"},
        "CAPTURE_": {"CAMERA_IP": "192.0.2.1"},
        "INPUT_": {"INPUT_1_LOCATION": "Porch"},
        "OUTPUT_": {"OUTPUT_1_LOCATION": "Porch"},
    }
    beside = next((each for begin, each in known.items() if name.startswith(begin)), {})
    said = {each: Said(value, each) for each, value in {name: "Camera", **beside}.items()}
    return "; ".join(_fates(translate(said), name))


def _fates(made: Translation, name: str) -> Iterator[str]:
    if name in made.understood:
        yield f"`{made.understood[name]}`"
    if name in made.replaced:
        yield made.replaced[name]
    if name in made.ignored:
        yield f"ignored: {made.ignored[name]}"
