"""Redirects stay on their host: an answer must not choose whom we ask, nor who gets the login."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from shared.http.errors import BadAnswer, Misdirected

REDIRECTS = frozenset({301, 302, 303, 307, 308})


def redirected(url: str, location: str, server: str) -> str:
    """The URL that a ``Location`` names; from http to https on the same host is allowed.

    Raises Misdirected for another host, port or scheme, and BadAnswer for what is no address.
    """
    if not location:
        raise BadAnswer(f"{server} redirects without saying where to")
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        secured = here.scheme == "http" and there.scheme == "https"
        same = here.hostname == there.hostname and (
            secured or (here.scheme, here.port) == (there.scheme, there.port)
        )
        place = f"{there.scheme}://{there.hostname}:{there.port or ''}".rstrip(":")
    except ValueError:
        raise BadAnswer(f"{server} redirects to an impossible address") from None
    if not same:
        raise Misdirected(f"{server} redirects to another place, {place}: not followed")
    return target
