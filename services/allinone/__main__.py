import os
import signal
import sys
from pathlib import Path

# Loading takes seconds, and nothing is open yet that must be closed in order: Ctrl-C ends it at
# once, without a traceback. Later the runtime has a handler of its own.
signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))

if "--demo" in sys.argv or (sys.stderr.isatty() and "--check" not in sys.argv):
    sys.stderr.write("snapbus: loading, which takes some seconds; Ctrl-C ends it ...\n")

from services.allinone.app import build, build_demo, check  # noqa: E402
from shared.main import main  # noqa: E402

if "--demo" in sys.argv:
    arguments = [argument for argument in sys.argv[1:] if argument != "--demo"]
    main("allinone", build_demo, [f"--config={Path('config/demo.yml')}", *arguments], check=check)
else:
    main("allinone", build, check=check)
