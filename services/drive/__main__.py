"""Runs the drive service alone; with ``login`` or ``archive``, what a person does with Google
Drive; with ``lifecycle``, with S3; with ``verify`` or ``restore``, with every archive."""

import sys
from importlib import import_module

from shared.main import main, only_check

COMMANDS = {
    "login": "services.drive.log_in",
    "archive": "services.drive.arrange",
    "lifecycle": "services.drive.lifecycle",
}

if command := COMMANDS.get(sys.argv[1]) if len(sys.argv) > 1 else None:
    sys.exit(import_module(command).main(sys.argv[2:]))
if sys.argv[1:2] in (["verify"], ["restore"]):
    sys.exit(import_module("services.drive.verified.command").main(sys.argv[1:]))
only_check("drive")

from services.drive.app import build  # noqa: E402  takes seconds, which a check need not

main("drive", build)
