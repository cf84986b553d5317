"""Runs the camera service alone; with ``try`` or ``find``, what a person does with a camera."""

import sys
from importlib import import_module

from shared.main import main, only_check

COMMANDS = {"try": "services.camera.trial", "find": "services.camera.find"}

if command := COMMANDS.get(sys.argv[1]) if len(sys.argv) > 1 else None:
    sys.exit(import_module(command).main(sys.argv[2:]))
only_check("camera")

from services.camera.app import build  # noqa: E402  takes seconds, which a check need not

main("camera", build)
