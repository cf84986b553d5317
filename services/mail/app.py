"""Wires the mail service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.mail.accounts import accounts_of
from services.mail.source import ServerSource
from shared.service import Context, Service, switched_off
from shared.settings.directory import Derived


def build(context: Context) -> Service:
    """Takes the pictures that cameras send by mail."""
    section = context.settings.mail
    if not section.enabled:
        return switched_off("mail")
    accounts = Derived(context.cameras, lambda cameras, _before: accounts_of(cameras))
    source = ServerSource(section, accounts, context)

    def about() -> Mapping[str, Any]:
        count = len(accounts())
        what = f"mail for {count} {'camera' if count == 1 else 'cameras'}"
        if not count:
            what = "no camera sends mail"
        told = source.about()
        if guessed := told.get("guessed"):
            what += f"; somebody guesses the password of {', '.join(guessed)}"
        if over := told.get("over_quota"):
            what += f"; over the quota of today: {', '.join(over)}"
        return {"ok": True, "summary": what, **told}

    return Service(name="mail", sources=[source], about=about)
