"""Whether the ports that one process listens on differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from shared.errors import ConfigError
from shared.settings.tree import Settings

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  compared with, not listened on


@dataclass(frozen=True, slots=True)
class _Ports:
    """Those of one setting; ``first`` and ``last`` are the same for a single one."""

    setting: str
    host: str
    first: int
    last: int

    def __str__(self) -> str:
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.setting} ({ports})"

    def meets(self, other: _Ports) -> bool:
        """Whether both can't be listened on; those of different addresses can."""
        apart = self.last < other.first or other.last < self.first
        anywhere = self.host in EVERYWHERE or other.host in EVERYWHERE
        return not apart and (anywhere or self.host == other.host)


def check(settings: Settings, *sections: str) -> None:
    """Raises ConfigError when a process of these sections, beside ``health``, would listen twice on
    one port."""
    ports = [each for name in ("health", *sections) for each in _of(settings, name)]
    for one, other in combinations(ports, 2):
        if one.meets(other):
            raise ConfigError(f"{other}: is taken by {one}. Give each a port of its own.")


def _of(settings: Settings, name: str) -> Iterator[_Ports]:
    section = getattr(settings, name)
    port = section.http_port if name == "simulator" else section.port
    if getattr(section, "enabled", True) and port:  # 0 is any that is free
        setting = f"{name}.{'http_port' if name == 'simulator' else 'port'}"
        yield _Ports(setting, section.host, port, port)
    if name == "simulator" and section.google_port:
        port = section.google_port
        yield _Ports("simulator.google_port", section.host, port, port)
    if name == "mail" and section.enabled and section.tls_port:
        yield _Ports("mail.tls_port", section.host, section.tls_port, section.tls_port)
    if name == "ftp" and section.enabled and section.passive_ports:
        first, _, last = section.passive_ports.partition("-")
        yield _Ports("ftp.passive_ports", section.host, int(first), int(last))
