from services.mail.accounts import check
from shared.main import main, only_check

only_check("mail", check=check)

from services.mail.app import build  # noqa: E402  takes seconds, which a check need not

main("mail", build, check=check)
