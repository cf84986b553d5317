"""Runs the ftp service alone."""

from services.ftp.app import build, check
from shared.main import main

if __name__ == "__main__":
    main("ftp", build, check=check)
