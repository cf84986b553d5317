"""The tree of errors is what its page says, and carries what handlers need."""

from __future__ import annotations

import inspect

from shared import errors


def test_every_error_has_the_one_root_and_stands_in_the_picture():
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    own = [each for each in classes if each.__module__ == "shared.errors"]
    assert len(own) > 10
    for each in own:
        assert issubclass(each, errors.SnapbusError)
        assert each.__name__ in str(errors.__doc__), f"{each.__name__} is missing in the tree"


def test_a_retry_may_say_when():
    assert errors.Retry("later").after_s is None
    assert errors.Retry("later", after_s=3).after_s == 3
