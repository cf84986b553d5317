"""The accounts of cameras that send mail, and whether each is one that can log in.

Imports no server, so that a configuration is checked in a moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import ConfigError
from shared.ingest import protection
from shared.ingest.accounts import Account
from shared.settings import Settings, ports
from shared.settings.cameras import CameraSection
from shared.settings.section import zone_of


def check(settings: Settings) -> Sequence[str]:
    """Raises ConfigError for what ``build`` would refuse."""
    if settings.mail.enabled:
        accounts_of(settings.cameras)
        protection.check("mail", settings.mail)
        ports.check(settings, "mail")
    return ()


def accounts_of(cameras: Mapping[str, CameraSection]) -> dict[str, Account]:
    """The accounts by user name. Raises ConfigError for one that nobody could use safely."""
    accounts: dict[str, Account] = {}
    for name, camera in cameras.items():
        if camera.mail is None:
            continue
        path = f"cameras.{name}.mail"
        username = camera.mail.username or name
        password = camera.mail.password.get_secret_value()
        if not password:
            raise ConfigError(
                f"{path}.password: is missing. Set it, or put it into the secrets folder "
                f"as camera_{name}_mail_password."
            )
        if username in accounts:
            raise ConfigError(
                f"{path}.username: {username!r} is the account of camera "
                f"{accounts[username].camera} already. Give each camera its own."
            )
        accounts[username] = Account(
            name,
            username,
            password,
            zone=zone_of(camera.mail.timezone),
            tls=camera.mail.tls,
            quota=camera.mail.quota,
        )
    return accounts


def named(accounts: Mapping[str, Account], username: str) -> str:
    """The account that a camera means: many want a mail address for a user name."""
    return username if username in accounts else username.partition("@")[0]
