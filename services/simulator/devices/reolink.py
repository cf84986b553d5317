"""Reolink: a login by JSON, few sessions, and errors as JSON that is declared as text/html."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, page, picture
from services.simulator.pictures import Pictures

LEASE_S = 3600
SESSIONS = 4
"""Of real cameras some have no more."""


class Reolink:
    """One camera, or a recorder of ``channels``. ``paths`` are those that its firmware knows;
    ``sessions`` are the tokens that are alive, with the time of their end."""

    name = "reolink"

    def __init__(
        self,
        account: Account,
        pictures: Pictures,
        mood: Mood = "fine",
        *,
        paths: tuple[str, ...] = ("/cgi-bin/api.cgi", "/api.cgi"),
        channels: int = 1,
        lease_s: float = LEASE_S,
    ) -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures
        self._paths = paths
        self._channels = channels
        self._lease_s = lease_s
        self.sessions: dict[str, float] = {}
        self.logins = 0

    def answer(self, request: Request) -> Reply | None:
        if request.path not in ("/cgi-bin/api.cgi", "/api.cgi"):
            return None
        if request.path not in self._paths:
            return page("404 Not Found", 404)
        match request.query.get("cmd", ""):
            case "Login":
                return self._login(request)
            case "Logout":
                self.sessions.pop(request.query.get("token", ""), None)
                return _said([{"cmd": "Logout", "code": 0, "value": {"rspCode": 200}}])
            case "Snap":
                return self._snap(request)
            case command:
                return _error(command, "not support", -9)

    def _login(self, request: Request) -> Reply:
        try:
            (asked,) = json.loads(request.body)
            user = asked["param"]["User"]
            given = Account(user["userName"], user["password"])
        except (ValueError, TypeError, KeyError):
            return _error("Login", "param error", -4)
        if given != self._account:
            return _error("Login", "login failed", -7)
        self._forget()
        if len(self.sessions) >= SESSIONS:
            return _error("Login", "max session", -5)
        token = secrets.token_hex(8)
        self.sessions[token] = time.monotonic() + self._lease_s
        self.logins += 1
        value = {"Token": {"leaseTime": self._lease_s, "name": token}}
        return _said([{"cmd": "Login", "code": 0, "value": value}])

    def _snap(self, request: Request) -> Reply:
        query = request.query
        self._forget()
        given = Account(query.get("user", ""), query.get("password", ""))
        if query.get("token") not in self.sessions and given != self._account:
            return _error("Snap", "please login first", -6)
        if not query.get("channel", "").isdecimal() or int(query["channel"]) >= self._channels:
            return _error("Snap", "param error", -4)
        return picture(self._pictures.next())

    def _forget(self) -> None:
        now = time.monotonic()
        self.sessions = {token: end for token, end in self.sessions.items() if end > now}


def _said(value: Any) -> Reply:
    return Reply("text/html", json.dumps(value, indent=3).encode())


def _error(command: str, detail: str, code: int) -> Reply:
    error = {"detail": detail, "rspCode": code}
    return _said([{"cmd": command, "code": 1, "error": error}])
