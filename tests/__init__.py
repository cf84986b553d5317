"""What proves the promises: unit, contract, integration, e2e, chaos, bench and repo tests.

Where Python was told to write no bytecode, each of the many processes that these start would
compile all it imports, and each run would rewrite all assertions: here bytecode is written.
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
