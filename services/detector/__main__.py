from shared.main import main, only_check

only_check("detector")

from services.detector.app import build  # noqa: E402  takes seconds, which a check need not

main("detector", build)
