from services.scheduler.app import build
from shared.main import main

main("scheduler", build)
