from shared.main import main, only_check

only_check("scheduler")

from services.scheduler.app import build  # noqa: E402  takes seconds, which a check need not

main("scheduler", build)
