from shared.main import main, only_check

only_check("simulator")

from services.simulator.app import build  # noqa: E402  takes seconds, which a check need not

main("simulator", build)
