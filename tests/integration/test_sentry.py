"""What goes to Sentry: that a process failed, where and why, and no secret with it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.processes import Process
from tests.support.sentry import sentry

SECRET = "p@ss wörd/1"


@pytest.mark.promise("feat J6", "sec K1", "inv I16", "feat L10")
def test_sentry_hears_of_a_failure_and_of_no_password(tmp_path: Path) -> None:
    with sentry() as (dsn, events):
        process = Process(
            tmp_path,
            log={"format": "json", "sentry_dsn": dsn},
            cameras={"porch": {"ftp": {"password": SECRET}}},
        )
        says = f"no way to http://u:{quote(SECRET)}@camera/ with {SECRET}"
        process.start(DIES="source", SAYS=says)
        assert process.running.wait(60) == 1

    failure = next(each for each in events if "ZeroDivisionError" in json.dumps(each))
    told = json.dumps(failure, ensure_ascii=False)
    error = failure["exception"]["values"][-1]
    assert error["type"] == "ZeroDivisionError"
    assert error["value"] == "no way to http://u:•••@camera/ with •••"
    assert "runtime_services.py" in told, "it says where"
    assert [each for each in failure["breadcrumbs"]["values"] if "about to fail" in each["message"]]
    assert SECRET not in told
    assert quote(SECRET) not in told
