"""Files pictures in Google Drive, and brings old ones into order, as a process that a failpoint
kills.

``python -m tests.chaos.google_writer <folder> <address of Google> <how many>``
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shared.failpoint import arm
from shared.journal import Journal
from tests.support.google_archive import archive_at, numbered, persist


def main(folder: Path, address: str, count: int) -> None:
    arm(os.environ.get("FAILPOINT", ""))
    journal = Journal.open(f"sqlite:///{folder}/journal.db")
    archive = archive_at(address, folder, journal)
    for number in range(count):
        persist(archive, numbered(folder, number))
    archive.archiver.run(lambda counts: None)
    archive.client.close()
    journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
