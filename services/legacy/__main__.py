from shared.main import main, only_check

only_check("legacy")

from services.legacy.app import build  # noqa: E402  takes seconds, which a check need not

main("legacy", build)
