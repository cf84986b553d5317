"""Runs the camera service alone."""

from services.camera.app import build
from shared.main import main

if __name__ == "__main__":
    main("camera", build)
