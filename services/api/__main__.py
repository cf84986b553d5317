from services.api.app import build
from shared.main import main

main("api", build)
