"""Runs the simulated cameras alone."""

from services.simulator.app import build
from shared.main import main

if __name__ == "__main__":
    main("simulator", build)
