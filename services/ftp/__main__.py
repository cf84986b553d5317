from services.ftp.accounts import check
from shared.main import main, only_check

only_check("ftp", check=check)

from services.ftp.app import build  # noqa: E402  takes seconds, which a check need not

main("ftp", build, check=check)
