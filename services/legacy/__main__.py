from services.legacy.where import check
from shared.main import main, only_check

only_check("legacy", check=check)

from services.legacy.app import build  # noqa: E402  takes seconds, which a check need not

main("legacy", build, check=check)
