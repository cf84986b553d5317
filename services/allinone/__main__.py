import os
import signal
import sys
from pathlib import Path

# Loading takes seconds, and nothing is open yet that must be closed in order: Ctrl-C ends it at
# once, without a traceback. Later the runtime has a handler of its own.
signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))

from services.allinone.checks import check, check_demo  # noqa: E402
from shared.main import main, only_check  # noqa: E402

arguments = sys.argv[1:]
if demo := "--demo" in arguments:
    arguments = [f"--config={Path('config/demo.yml')}", *arguments]
    arguments.remove("--demo")
checks = check_demo if demo else check
only_check("allinone", arguments, check=checks)

if demo or sys.stderr.isatty():
    sys.stderr.write("snapbus: loading, which takes some seconds; Ctrl-C ends it ...\n")

from services.allinone.app import build, build_demo  # noqa: E402

main("allinone", build_demo if demo else build, arguments, check=checks)
