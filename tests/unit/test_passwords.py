"""Passwords are hashed by few threads, whoever asks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shared.access.passwords import fits, hashed

MANY = """
import threading
from pathlib import Path
from shared.access.passwords import fits, hashed

def resident():
    (line,) = (l for l in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in l)
    return int(line.split()[1]) // 1024

known, before = hashed("correct horse"), resident()
# As in a server, the threads stay: what they allocated stays theirs.
done, end = threading.Barrier(17), threading.Event()

def check():
    fits(known, "wrong")
    done.wait(60)
    end.wait(60)

for _ in range(16):
    threading.Thread(target=check).start()
done.wait(60)
print(resident() - before)
end.set()
"""


@pytest.mark.promise("inv I17", "sec B14")
def test_sixteen_threads_that_check_passwords_keep_the_memory_of_two():
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100


def test_a_password_fits_its_hash_and_no_other():
    known = hashed("correct horse", "anna")
    assert fits(known, "correct horse")
    assert not fits(known, "wrong") and not fits("", "wrong") and not fits("no hash", "wrong")
