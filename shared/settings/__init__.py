"""The configuration: its tree of sections, how it is loaded, and what in it is doubtful."""

from shared.settings.load import load
from shared.settings.tree import Settings

__all__ = ["Settings", "load"]
