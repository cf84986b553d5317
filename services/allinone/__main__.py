import sys
from pathlib import Path

from services.allinone.app import build, build_demo
from shared.main import main

if "--demo" in sys.argv:
    arguments = [argument for argument in sys.argv[1:] if argument != "--demo"]
    main("allinone", build_demo, [f"--config={Path('config/demo.yml')}", *arguments])
else:
    main("allinone", build)
