"""Who guesses, and who takes a name that is not theirs."""

from __future__ import annotations

import pytest

from shared.access import Access, Actor
from shared.access.throttle import Throttle
from shared.errors import AccessError, Throttled
from shared.events import now
from shared.journal import Journal

WORD = "correct horse"
ROOT = Actor("terminal")
HOME = "192.0.2.7"


@pytest.fixture
def access(journal: Journal) -> Access:
    access = Access(journal)
    access.login._throttle = Throttle(lambda: 0.0)
    return access


@pytest.fixture(autouse=True)
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.access.passwords.fits", lambda known, word: word == WORD)


def guess(access: Access, name: str, address: str, device: str = "", word: str = "wrong") -> str:
    """How a login is answered."""
    try:
        access.login.person(name, word, address, device)
    except Throttled:
        return "throttled"
    except AccessError:
        return "refused"
    return "in"


@pytest.mark.promise("sec B14")
def test_an_invented_device_gives_no_more_tries_where_somebody_logged_in_before(access: Access):
    anna = access.people.add("anna", "administrator", ROOT, password=WORD)
    access.sessions.begin(anna, Actor("anna", address=HOME), device="phone")

    told = [guess(access, "anna", HOME, f"invented {number}") for number in range(14)]

    assert told == ["refused"] * 5 + ["throttled"] * 9
    assert guess(access, "anna", HOME, "phone", WORD) == "in"


@pytest.mark.promise("sec B14")
def test_a_known_address_has_only_so_many_wrong_tries_for_all_names(access: Access):
    names = [f"name{number}" for number in range(4)]
    for name in names:
        person = access.people.add(name, "viewer", ROOT, password=WORD)
        access.sessions.begin(person, Actor(name, address=HOME), device=f"phone of {name}")
    for _ in range(30):
        assert guess(access, "name0", HOME, word=WORD) == "in", "right ones do not count"

    told = [guess(access, name, HOME) for name in names for _ in range(5)]

    assert told.count("refused") == 10
    for name in names:
        assert guess(access, name, HOME, f"phone of {name}", WORD) == "in"


@pytest.mark.promise("sec B14")
def test_what_is_typed_for_a_name_that_nobody_has_is_not_kept(access: Access, caplog):
    access.people.add("anna", "administrator", ROOT, password=WORD)
    secret = "hunter2 was typed here"

    assert guess(access, secret, HOME) == guess(access, "anna", HOME) == "refused"

    known, unknown = (each.event for each in access.ledger.noted("default", 0, 2))
    assert (unknown.data["who"], known.data["who"]) == ("unknown name", "anna")
    assert secret not in str(unknown) + caplog.text
    told = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(told) == 2 and all(HOME in each for each in told) and "anna" in told[1]


def test_a_name_that_no_database_can_write_down_is_refused_like_any(access: Access):
    assert guess(access, "a\x00", HOME, "phone") == guess(access, "\ud800", HOME) == "refused"


@pytest.mark.promise("sec B14")
def test_invented_names_do_not_hide_a_guess_at_an_account(access: Access):
    access.people.add("anna", "administrator", ROOT, password=WORD)
    for number in range(200):
        guess(access, f"name{number}", f"198.51.100.{number}")

    assert guess(access, "anna", HOME) == "refused"

    newest = access.ledger.noted("default", 0, 1)[0].event.data
    assert (newest["who"], newest["address"]) == ("anna", HOME)


@pytest.mark.promise("sec B14")
def test_only_an_administrator_ends_that_there_is_none_yet(access: Access):
    access.named("eve", "viewer", Actor("eve"))
    access.from_elsewhere("issuer olga", "olga", "operator", Actor("olga"))
    bob = access.people.add("bob", "viewer", ROOT, password=WORD)
    assert access.people.none_yet()

    access.people.set_role(bob, "administrator", None, ROOT)

    assert not access.people.none_yet()
    with pytest.raises(AccessError):
        access.people.add("anna", "administrator", ROOT, password=WORD, first=True)


@pytest.mark.promise("sec B14")
@pytest.mark.parametrize(
    "name",
    [
        "a/b", "/", ".", "..", "a\nb", "a\x00", "terminal", "Nobody", "local", "scraper", "anybody",
        "OPEN", "somebody", "unknown name", "key house (0000000000)", "Key x",
    ],
)  # fmt: skip
def test_nobody_is_called_what_is_no_name_or_means_another(access: Access, name: str):
    with pytest.raises(AccessError, match="name"):
        access.people.add(f" {name} ", "viewer", ROOT, password=WORD)
    with pytest.raises(AccessError, match="name"):
        access.named(name, "viewer", ROOT)
    with pytest.raises(AccessError, match="name"):
        access.from_elsewhere("issuer x", name, "viewer", ROOT)
    assert access.people.all() == []
    access.people.add("a.b@example.org", "viewer", ROOT, password=WORD)


def test_a_key_that_is_over_is_not_made(access: Access):
    with pytest.raises(AccessError, match="later than now"):
        access.keys.add("guest", ["read"], ROOT, expires_at=now())
    assert access.keys.all() == []
