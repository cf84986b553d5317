"""Checks a live system against its invariants and names every difference with its remedy.

``python -m shared.admin.doctor --level rows|sizes|hashes``. It runs beside the services and changes
nothing unless told to.
"""

from shared.admin.doctor.doctor import Doctor
from shared.admin.doctor.finding import LEVELS, Finding

__all__ = ["LEVELS", "Doctor", "Finding"]
