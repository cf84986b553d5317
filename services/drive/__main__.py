from services.drive.app import build
from shared.main import main

main("drive", build)
