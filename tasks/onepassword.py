"""Fetches settings and secrets of an older program from a 1Password Connect server, for
tasks/configure. What is in .env already stays. Needs no package.

    ENV.<APP_NAME>       its fields are variables: into .env, secrets among them into secrets/
    FTP, Sentry, flags   the credentials it kept apart

Nothing it fetched is printed, nor the token.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

try:
    from shared.older.files import SECRET_OF, add_to_env, write_secret
    from shared.older.names import FLAGS
    from shared.older.sources import Misread, env_text, is_older, read_env
except (ImportError, SyntaxError, TypeError) as error:  # or Python is older than 3.11
    sys.exit(f"snapbus: {error}: run ./taskw configure, which brings along what this needs")

SECONDS, ALL_SECONDS, MAX_BYTES = 10, 60, 1_000_000
REMEDIES = {
    401: "it does not accept OP_CONNECT_TOKEN",
    403: "OP_CONNECT_TOKEN may not read the vault of OP_VAULT",
    404: "there is no such vault: OP_VAULT is its id or its name",
}
STRANGE = "what it answers is not of 1Password Connect"
NOT_YET = {
    "Cronitor/password": "Cronitor is not there yet",
}


class Unavailable(Exception):
    """The server did not give what was asked for; the text says why, without a secret."""


@contextmanager
def _shaped() -> Iterator[None]:
    """For reading what the server answered, which may have any shape."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError):
        raise Unavailable(STRANGE) from None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Connect:
    """A vault of a 1Password Connect server."""

    def __init__(self, host: str, token: str, vault: str) -> None:
        self._host, self._token, self._vault = host.rstrip("/"), token, vault
        # No proxy of this machine is to see the token, and no redirect may carry it elsewhere.
        self._opener = build_opener(ProxyHandler({}), _NoRedirect)
        if urlsplit(self._host).scheme not in ("http", "https"):
            raise Unavailable("OP_CONNECT_HOST must begin with http:// or https://")

    def choose(self) -> None:
        """Find the vault by id, by name, or because there is but one."""
        vaults = self._get("/v1/vaults")
        with _shaped():
            found = [each for each in vaults if self._vault in (each["id"], each.get("name"))]
            found = found or (vaults if len(vaults) == 1 and not self._vault else [])
            if not found:
                raise Unavailable(REMEDIES[404])
            self._vault = str(found[0]["id"])

    def fields(self, title: str) -> dict[tuple[str, str], str]:
        """The values of an item by section and label; none when there is no such item."""
        escaped = title.replace("\\", "\\\\").replace('"', '\\"')
        items = f"/v1/vaults/{quote(self._vault, safe='')}/items"
        found = self._get(f"{items}?" + urlencode({"filter": f'title eq "{escaped}"'}))
        with _shaped():
            if not found:
                return {}
            item = self._get(f"{items}/{quote(str(found[0]['id']), safe='')}")
            sections = {each["id"]: each.get("label", "") for each in item.get("sections") or ()}
            return {
                (
                    sections.get((each.get("section") or {}).get("id"), ""),
                    each.get("label", ""),
                ): value
                for each in item.get("fields") or ()
                if isinstance(value := each.get("value"), str) and value.strip()
            }

    def _get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            request = Request(self._host + path, headers=headers)  # noqa: S310  checked above
            with self._opener.open(request, timeout=SECONDS) as answer:
                return json.loads(answer.read(MAX_BYTES))
        except HTTPError as error:
            why = REMEDIES.get(error.code, f"it answers with status {error.code}")
        except URLError as error:
            why = f"it can't be reached: {getattr(error.reason, 'strerror', '') or error.reason}"
        except TimeoutError:
            why = f"it does not answer in {SECONDS} s"
        except (OSError, HTTPException) as error:
            why = f"the connection broke ({type(error).__name__})"
        except ValueError:
            why = STRANGE
        raise Unavailable(why) from None


def credentials(connect: Connect, app: str) -> dict[str, str]:
    """What was kept apart from the variables, under the names of variables."""
    found = {}
    ftp = connect.fields("FTP")
    for label, name in (("username", "FTP_USER"), ("password", "FTP_PASS")):
        found[name] = ftp.get(("", label), "")
    found["SENTRY_DSN"] = connect.fields("Sentry").get((app, "dsn"), "")
    client = connect.fields("Google").get(("oath", "client_secret"), "")
    if client.lstrip().startswith("{"):  # the whole file; of a secret alone nothing can be made
        found["GOOGLE_CLIENT"] = client
    flags = connect.fields("flags")
    for flag, name in FLAGS.items():
        found[name] = flags.get((flag, "value"), "")
    return {name: value for name, value in found.items() if value}


def say(text: str) -> None:
    sys.stdout.write(f"snapbus: {text}\n")


def fetch(settings: dict[str, str]) -> dict[str, str]:
    """The values there by the names of variables. Raises Unavailable."""
    app = settings.get("APP_NAME") or "snapshot-processor"
    host, token = settings["OP_CONNECT_HOST"], settings["OP_CONNECT_TOKEN"]
    connect = Connect(host, token, settings.get("OP_VAULT", ""))
    connect.choose()
    title = f"ENV.{app}"
    variables = {label: value for (_, label), value in connect.fields(title).items()}
    known = {name: value for name, value in variables.items() if is_older(name)}
    if not known:
        say(f"1Password: there is no item {title}, or it has no field that Snapbus knows")
    for name in sorted(set(variables) - set(known)):
        say(f"1Password: {title} has a field {re.sub(r'[^ -~]', '?', name)[:60]}, not understood")
    return {**known, **credentials(connect, app)}


def keep(known: dict[str, str]) -> None:
    """Write what was fetched into .env and secrets/. Raises Misread, OSError."""
    secret = {name: value for name, value in known.items() if name in SECRET_OF}
    plain = {name: value for name, value in known.items() if name not in {*SECRET_OF, *TOKENS}}
    added = add_to_env(ROOT / ".env", plain)
    written = [
        SECRET_OF[name]
        for name, value in secret.items()
        if write_secret(ROOT / "secrets", SECRET_OF[name], value)
    ]
    if added:
        say(f"1Password: wrote {', '.join(added)} into .env")
    for file in written:
        say(f"1Password: wrote secrets/{file}")
    for name, why in NOT_YET.items():
        say(f"1Password: {name} was not fetched: {why}")


TOKENS = {"OP_CONNECT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN"}
"""They open the vault itself, so that they are never written."""


def _too_slow(*_: Any) -> None:
    raise Unavailable(f"it was not done in {ALL_SECONDS} s")


def main() -> None:
    """Fetch if both address and token are given, in the environment or in .env."""
    try:
        _main()
    except Misread as error:
        sys.exit(f"snapbus: {error}")
    except OSError as error:
        sys.exit(f"snapbus: {error.filename or '.env or secrets'}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit("snapbus: interrupted; what is there stays")


def _main() -> None:
    settings = {**read_env(env_text(ROOT / ".env")), **os.environ}
    if not (settings.get("OP_CONNECT_HOST") and settings.get("OP_CONNECT_TOKEN")):
        return
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(ALL_SECONDS)
    try:
        known = fetch(settings)
        signal.alarm(0)  # the server's time: it must not end while files are written
    except Unavailable as error:
        say(f"1Password at OP_CONNECT_HOST: {error}; what is there already is used")
        sys.exit(1 if "--insist" in sys.argv else 0)
    keep(known)


if __name__ == "__main__":
    main()
