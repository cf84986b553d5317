"""Importing is harmless, and each vendor's library is known to one file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import pytest

from tests.repo.tree import CODE, ROOT

# A file, or a folder whose files share one translation of the vendor's errors.
HOMES = {
    "pika": "shared/amqp/",
    "zmq": "shared/bus/relay.py",
    "sqlalchemy": "shared/journal/",
    "psycopg": "shared/journal/",
    "structlog": "shared/log.py",
    "sentry_sdk": "shared/runtime/process.py",
    "yaml": "shared/settings/yaml_file.py",
    "simplejpeg": "shared/picture/decode.py",
    "pyftpdlib": "services/ftp/server.py",
    "aiosmtpd": "services/mail/smtp.py",
    "watchdog": "services/folder/watch.py",
    "requests": "shared/http/",
    "boto3": "shared/aws/client.py",
    "botocore": "shared/aws/client.py",
    "av": "services/camera/frame.py",
    "zeroconf": "services/camera/discovery/mdns.py",
    "kornia_rs": "services/detector/engines/letterbox.py",
    "onnxruntime": "services/detector/engines/onnx.py",
    "openvino": "services/detector/engines/openvino.py",
    "ultralytics": "services/detector/engines/ultralytics.py",
    "torch": "services/detector/engines/ultralytics.py",
    "uvicorn": "services/api/server.py",
    "argon2": "shared/access/passwords.py",
    "msgpack": "services/legacy/wire.py",
    "authlib": "services/api/oidc.py",
    "joserfc": "services/api/oidc.py",
    "pydrive2": "services/drive/archives/google/client/",
    "googleapiclient": "services/drive/archives/google/client/",
    "oauth2client": "services/drive/archives/google/client/",
    "httplib2": "services/drive/archives/google/client/",
}
# Alembic's scripts are programs of their own.
PROGRAMS = ("shared/journal/migrations/",)

PROBE = """
import importlib, logging, os, sys, threading
root = sys.argv[1] + os.sep
found = []

def ours(event):
    # The innermost frame that is ours or the import system's: a library may do as it likes while
    # it is imported itself.
    frame = sys._getframe(2)
    while frame:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return
        if name.startswith(root) and not name.startswith(root + ".venv"):
            found.append(f"{name}:{frame.f_lineno}: {event}")
            return
        frame = frame.f_back

WATCHED = ("open", "socket.__new__", "socket.connect", "socket.bind", "sqlite3.connect", "os.mkdir",
           "os.putenv", "subprocess.Popen", "os.listdir", "os.scandir", "_thread.start_new_thread")
sys.addaudithook(lambda event, args: ours(event) if event in WATCHED else None)
for module in sys.argv[2:]:
    importlib.import_module(module)
if logging.root.handlers or logging.root.level != logging.WARNING:
    found.append("logging was configured")
sys.exit("\\n".join(found) or None)
"""


@cache
def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("library", HOMES)
def test_a_vendors_library_is_imported_in_one_place(library: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in CODE if library in _imports(path)}

    assert {user for user in users if not user.startswith((HOMES[library], *PROGRAMS))} == set()


def test_no_handler_validates_the_data_of_an_event_again() -> None:
    again = re.compile(r"(model_validate|TypeAdapter)\S*\(\w*\.?event\w*\.data")

    assert [path for path in CODE if again.search(path.read_text(encoding="utf-8"))] == []


def test_nothing_is_pickled() -> None:
    risky = re.compile(r"(pickle|marshal)\.(load|dump)|_pyobj\(|import shelve")

    assert [path for path in CODE if risky.search(path.read_text(encoding="utf-8"))] == []


def test_importing_any_module_opens_nothing_and_starts_nothing() -> None:
    modules = []
    for path in CODE:
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        if not name.startswith(PROGRAMS) and not name.endswith("__main__"):
            modules.append(name.replace("/", ".").removesuffix(".__init__"))

    command = [sys.executable, "-c", PROBE, str(ROOT), *modules]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_no_thread_of_ours_shadows_a_part_of_pythons_thread() -> None:
    # Python 3.13 and 3.14 have parts that 3.11 has not.
    taken = {*dir(threading.Thread), *vars(threading.Thread()), "_handle", "_context"}
    taken -= {"__init__", "__doc__", "__module__", "run"}
    clashes = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and "Thread" in map(_last_name, node.bases):
                clashes += [f"{path}: {name}" for name in _defined(node) & taken]

    assert clashes == []


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _defined(thread: ast.ClassDef) -> set[str]:
    methods = {node.name for node in thread.body if isinstance(node, ast.FunctionDef)}
    fields = {ast.unparse(node) for node in ast.walk(thread) if isinstance(node, ast.Attribute)}
    stored = {field.removeprefix("self.") for field in fields if field.count(".") == 1}
    return methods | {name for name in stored if name in ("_handle", "_context")}
