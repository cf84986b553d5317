"""Reads the configuration file: YAML in which each key may stand once."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from shared.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # what it brings may be overridden
                continue
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                continue  # told below
            if key in lines:
                raise ConfigError(
                    f"{self.name}, line {line}: {key} stands here again after line {lines[key]}. "
                    "Only one can hold: rename or remove one of them."
                )
            lines[key] = line
        return super().construct_mapping(node, deep)


def read(path: Path) -> dict[str, Any]:
    """The sections of a file. Raises ConfigError, which names the line."""
    try:
        tree = _loaded(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file. Name yours in SNAPBUS_CONFIG.") from None
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read: {error.strerror}. Check its permissions."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        # What stands in quotes may be a password that YAML took for a reference or a tag.
        problem = re.sub(r"'[^']{3,}'", "'…'", getattr(error, "problem", "") or "not UTF-8 text")
        raise ConfigError(
            f"{path}{line}: not valid YAML: {problem}. Check the indentation, and put values with "
            "special characters in quotes."
        ) from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: must be a mapping of sections, such as 'cameras:'.")
    return tree


def _loaded(path: Path) -> Any:
    loader = _Loader(path.read_text(encoding="utf-8"))
    loader.name = str(path)
    try:
        return loader.get_single_data() or {}
    finally:
        loader.dispose()
