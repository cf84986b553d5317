from services.detector.app import build
from shared.main import main

main("detector", build)
