"""Runs the folder service alone."""

from services.folder.app import build, check
from shared.main import main

if __name__ == "__main__":
    main("folder", build, check=check)
