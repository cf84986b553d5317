from shared.main import main, only_check

only_check("drive")

from services.drive.app import build  # noqa: E402  takes seconds, which a check need not

main("drive", build)
