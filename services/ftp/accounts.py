"""The accounts of cameras, and whether each is one that can log in.

Imports no server, so that a configuration is checked in a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.ftp.shared import Shared, shared_account
from shared.errors import ConfigError
from shared.ingest import protection
from shared.ingest.accounts import Account
from shared.ingest.names import NameReader
from shared.settings import Settings, ports
from shared.settings.cameras import CameraSection
from shared.settings.ftp import FtpSection
from shared.settings.section import zone_of


@dataclass(frozen=True, slots=True)
class Logins:
    """All accounts by user name; of those that cameras share, also how these are told apart."""

    accounts: Mapping[str, Account]
    shared: Mapping[str, Shared]

    def place(self, account: Account) -> str:
        """Where the settings of an account are, for what is said of it."""
        kind = "ftp.accounts.{}" if account.username in self.shared else "cameras.{}.ftp"
        return kind.format(account.camera)


def check(settings: Settings) -> Sequence[str]:
    """Raises ConfigError for what ``build`` would refuse."""
    if settings.ftp.enabled:
        logins_of(settings.cameras, settings.ftp, NameReader())
        for name, camera in settings.cameras.items():
            if camera.ftp and camera.ftp.account not in ("", *settings.ftp.accounts):
                raise ConfigError(
                    f"cameras.{name}.ftp.account: there is no {camera.ftp.account!r} in "
                    "ftp.accounts. Make it there, or correct the name."
                )
        protection.check("ftp", settings.ftp)
        ports.check(settings, "ftp")
    return ()


def logins_of(
    cameras: Mapping[str, CameraSection], section: FtpSection, names: NameReader
) -> Logins:
    """All accounts. Raises ConfigError for one that nobody could use safely. A camera of a shared
    account that is not there (it takes a restart to make one) can't log in."""
    shared = {}
    accounts: dict[str, Account] = {}
    for place, account in _own(cameras):
        _add(accounts, place, account, f"camera_{account.camera}_ftp_password")
    for name, each in section.accounts.items():
        one = shared_account(name, each, cameras, section.upload_folder or "", names)
        _add(accounts, f"ftp.accounts.{name}", one.account, f"ftp_{name}_password")
        shared[one.account.username] = one
    return Logins(accounts, shared)


def _own(cameras: Mapping[str, CameraSection]) -> Iterator[tuple[str, Account]]:
    for name, camera in cameras.items():
        section = camera.ftp
        if section is None or section.account:
            continue
        yield (
            f"cameras.{name}.ftp",
            Account(
                name,
                section.username or name,
                section.password.get_secret_value(),
                section.active,
                zone_of(section.timezone),
                section.tls,
                section.quota,
            ),
        )


def _add(accounts: dict[str, Account], place: str, account: Account, secret: str) -> None:
    if not account.password:
        raise ConfigError(
            f"{place}.password: is missing. Set it, or put it into the secrets folder as {secret}."
        )
    if other := accounts.get(account.username):
        raise ConfigError(
            f"{place}.username: {account.username!r} is the account of {other.camera!r} already. "
            "Give each its own; cameras that share one name it in cameras.<name>.ftp.account."
        )
    accounts[account.username] = account
