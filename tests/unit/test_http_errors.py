"""Every error of the HTTP library has a meaning of ours, and none of its texts gets out."""

from __future__ import annotations

import inspect

import pytest
import urllib3
from requests import exceptions

from shared.http.client import MEANINGS, meaning
from shared.http.errors import HttpError

KINDS = [
    kind
    for _, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, exceptions.RequestException)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_exception_of_the_library_is_named_in_the_table(kind: type[Exception]) -> None:
    assert kind in MEANINGS


def test_the_search_for_exceptions_finds_them() -> None:
    assert {exceptions.ChunkedEncodingError, exceptions.ConnectTimeout} < set(KINDS)
    assert len(KINDS) > 20


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for _, kind in inspect.getmembers(urllib3.exceptions, inspect.isclass)
        if issubclass(kind, urllib3.exceptions.HTTPError)
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_lies_below_the_library_has_a_meaning_too(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    mapped, text = meaning(error)
    assert issubclass(mapped, HttpError) and text


def test_an_error_that_is_not_theirs_has_no_meaning() -> None:
    with pytest.raises(TypeError):
        meaning(ValueError())
