from services.api.tls import check
from shared.main import main, only_check

only_check("api", check=check)

from services.api.app import build  # noqa: E402  takes seconds, which a check need not

main("api", build, check=check)
