"""One look at everything: the journal alone, then the journal against the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from shared.admin.doctor.files import Files
from shared.admin.doctor.finding import GRACE_S, LEVELS, Finding
from shared.admin.doctor.journal import examine_rows, examine_secrets
from shared.journal import Journal
from shared.store import Store

PROGRESS_EVERY = 500


class Doctor:
    """Examines one store, its journal and the folder archives, which are given by name. Runs beside
    the services. ``secrets`` are names and texts that must not be in the journal, looked for at the
    level of hashes."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        archives: Mapping[str, Path],
        *,
        level: str = "sizes",
        grace_s: float = GRACE_S,
        secrets: Sequence[tuple[str, str]] = (),
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._journal = journal
        self._level = LEVELS.index(level)
        self._grace_s = grace_s
        self._secrets = secrets
        self._progress = progress
        self._files = Files(store, archives, hashes=level == "hashes", grace_s=grace_s)

    def findings(self) -> Iterator[Finding]:
        """Every difference, as it is found. Raises StoreError or JournalUnavailable."""
        yield from examine_rows(self._journal, self._grace_s)
        if self._level == 0:
            return
        audit = self._journal.audit
        total = audit.count()
        for number, snapshot in enumerate(audit.catalogue(), start=1):
            yield from self._files.of(snapshot)
            if number % PROGRESS_EVERY == 0 or number == total:
                self._progress(number, total)
        yield from self._files.spooled()
        yield from self._files.unknown()
        if LEVELS[self._level] == "hashes":
            yield from examine_secrets(self._journal, self._secrets)
