"""File descriptors: a process raises what it may have, and divides them among its servers.

Systems give each process 1,024 at first and allow many more. A server that accepts connections
beyond what is there can't open files any more, and neither can the rest of the process.
"""

from __future__ import annotations

import resource

MOST = 65_536
"""More are not asked for: some libraries close all that there might be, one after the other."""


def raise_limit() -> int:
    """Raise the limit of this process as far as it may; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return limit()


def limit() -> int:
    """How many this process may have open."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def share(part: float, each: int, most: int) -> int:
    """How many connections a server may have that take ``each`` descriptors, out of a part of all;
    at most ``most``, and at least one."""
    return max(min(most, int(limit() * part) // each), 1)
