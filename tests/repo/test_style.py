"""Files and functions stay small enough to be read at one sitting, and say what they are for."""

from __future__ import annotations

import ast

from tests.repo.tree import CODE, ROOT

LINES_OF_A_FILE = 250
LINES_OF_A_FUNCTION = 40
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in CODE}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _length(node: Function) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def test_a_file_stays_short() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in CODE}

    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_a_function_stays_short() -> None:
    long = {}
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, Function) and "migrations" not in name:
                lines = _length(node)  # with those inside it: who reads it reads them
                if lines > LINES_OF_A_FUNCTION:
                    long[f"{name}:{node.name}"] = lines

    assert long == {}


def test_a_module_says_what_it_is_for() -> None:
    silent = [
        name
        for name, tree in TREES.items()
        if tree.body and not name.endswith("__main__.py") and not ast.get_docstring(tree)
    ]

    assert silent == []


def test_names_say_something() -> None:
    vague = {"utils", "util", "common", "helpers", "manager", "base", "misc"}

    assert [str(path) for path in CODE if vague & set(path.with_suffix("").parts)] == []
