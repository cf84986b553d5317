from services.folder.watched import check
from shared.main import main, only_check

only_check("folder", check=check)

from services.folder.app import build  # noqa: E402  takes seconds, which a check need not

main("folder", build, check=check)
