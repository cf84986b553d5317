"""How long to pause after failures in a row, wherever something is tried again."""

from __future__ import annotations

import random

_MOST_DOUBLINGS = 64
"""More change nothing, and would overflow."""


def pause_s(failures: int, first_s: float, longest_s: float) -> float:
    """Seconds to wait after the ``failures``-th failure in a row, counted from 1.

    Doubles from ``first_s`` up to ``longest_s``; the upper half is random, so that what failed
    together is not tried again together.
    """
    doubled = first_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    return min(doubled, longest_s) * random.uniform(0.5, 1.0)  # noqa: S311  nothing secret
