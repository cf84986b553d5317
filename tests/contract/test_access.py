"""People, sessions and keys on each kind of database: what is kept, and what ends."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.access import Access, Actor, Right, passwords, tokens
from shared.access.tables import Key
from shared.access.throttle import Throttle
from shared.access.visitor import NOBODY, Visitor
from shared.errors import AccessError, Throttled
from shared.events import CameraTested, now
from shared.journal import Journal

WORD = "correct horse"
ROOT = Actor("terminal")


@pytest.fixture
def access(journal: Journal) -> Access:
    return Access(journal)


def actions(access: Access, organisation: str = "default") -> list[str]:
    return [str(each.event.data["action"]) for each in access.ledger.noted(organisation, 0, 50)]


def row(access: Access, key: Key) -> Key:
    """The key as it is now."""
    found = access.keys.get(key.id)
    assert found
    return found


def everything(journal: Journal) -> str:
    """All that the database holds of access and events, as one text."""
    found = []
    with journal._database.reading() as connection:
        for table in ("access_people", "access_sessions", "access_keys", "access_marks", "events"):
            found += [str(row) for row in connection.execute(text(f"select * from {table}"))]
    return "\n".join(found)


@pytest.mark.promise("sec B14")
def test_passwords_sessions_and_keys_are_kept_as_hashes_only(access: Access, journal: Journal):
    anna = access.people.add("anna", "administrator", ROOT, password=WORD)
    cookie = access.sessions.begin(anna, Actor("anna"), device="a device of hers")
    _, key = access.keys.add("house", ["read"], ROOT)

    kept = everything(journal)

    assert "$argon2id$" in kept and "house" in kept
    for secret in (WORD, cookie, key, key.split("_", 2)[2], "a device of hers"):
        assert secret not in kept
    assert access.by_cookie(cookie) and access.by_key(key)


@pytest.mark.parametrize("password", ["", "short", "ANNA", "x" * 257])
def test_a_password_that_is_none_is_refused(access: Access, password: str):
    with pytest.raises(AccessError, match="password"):
        access.people.add("anna", "viewer", ROOT, password=password)
    assert access.people.none_yet()


@pytest.mark.promise("sec B14")
def test_two_first_accounts_at_once_make_one(access: Access):
    made, refused = [], []

    def add(name: str) -> None:
        try:
            access.people.add(name, "administrator", ROOT, password=WORD, first=True)
            made.append(name)
        except AccessError:
            refused.append(name)

    threads = [threading.Thread(target=add, args=(f"p{i}",), daemon=True) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(made) == 1 and len(refused) == 3
    assert [each.name for each in access.people.all()] == made
    assert not access.people.none_yet()


@pytest.mark.promise("sec B14")
def test_a_session_ends_by_log_out_by_a_new_password_by_time_and_with_its_person(access: Access):
    access.people.add("root", "administrator", ROOT, password=WORD)
    anna = access.people.add("anna", "viewer", ROOT, password=WORD)
    one, other = (access.sessions.begin(anna, Actor("anna")) for _ in range(2))
    mine = access.by_cookie(other)
    assert mine and mine.name == "anna" and mine.rights == {Right.READ}

    before = access.ledger.revision()
    access.sessions.end(tokens.hash_of(one), Actor("anna"))
    assert access.by_cookie(one) is None and access.by_cookie(other) == mine
    assert access.ledger.revision() != before

    assert access.sessions.end_all("anna", ROOT) == 1
    assert not access.still(mine)

    third = access.sessions.begin(anna, Actor("anna"))
    access.people.remove(anna, ROOT)
    assert access.by_cookie(third) is None
    access.people.add("anna", "viewer", ROOT, password=WORD)
    assert access.by_cookie(third) is None, "another person of the same name is another person"
    assert actions(access)[:3] == ["person_added", "person_removed", "login"]


def test_a_session_that_nobody_uses_ends(access: Access, monkeypatch: pytest.MonkeyPatch):
    anna = access.people.add("anna", "viewer", ROOT, password=WORD)
    cookie = access.sessions.begin(anna, Actor("anna"))
    later = now() + timedelta(days=31)
    monkeypatch.setattr("shared.access.sessions.now", lambda: later)

    assert access.by_cookie(cookie) is None


def test_a_session_that_is_used_goes_on(access: Access, monkeypatch: pytest.MonkeyPatch):
    anna = access.people.add("anna", "viewer", ROOT, password=WORD)
    cookie = access.sessions.begin(anna, Actor("anna"))
    for days in (20, 40, 60):
        later = now() + timedelta(days=days)
        monkeypatch.setattr("shared.access.sessions.now", lambda later=later: later)
        assert access.by_cookie(cookie)


@pytest.mark.promise("sec B14")
def test_who_loses_a_role_or_a_camera_is_another_visitor(access: Access):
    access.people.add("root", "administrator", ROOT, password=WORD)
    anna = access.people.add("anna", "operator", ROOT, password=WORD)
    visitor = access.by_cookie(access.sessions.begin(anna, Actor("anna")))
    assert visitor and access.still(visitor)

    access.people.set_role(anna, "viewer", ["porch"], ROOT)

    assert not access.still(visitor)


def test_the_last_administrator_stays(access: Access):
    root = access.people.add("root", "administrator", ROOT, password=WORD)
    other = Actor("terminal", "elsewhere")
    access.people.add("theirs", "administrator", other, password=WORD)

    with pytest.raises(AccessError, match="last administrator"):
        access.people.remove(root, ROOT)
    with pytest.raises(AccessError, match="last administrator"):
        access.people.set_role(root, "viewer", None, ROOT)
    assert actions(access, "elsewhere") == ["person_added"]


@pytest.mark.promise("sec B2")
@pytest.mark.promise("feat L1")
def test_a_key_ends_by_revocation_by_time_and_a_while_after_its_rotation(
    access: Access, monkeypatch: pytest.MonkeyPatch
):
    key, text_of_it = access.keys.add("house", ["read"], ROOT)
    found = access.by_key(text_of_it)
    assert found and found.rights == {Right.READ} and found.kind == "key"
    wrong = text_of_it[:-1] + ("a" if text_of_it[-1] != "a" else "b")
    for no_key in (wrong, "", "snapbus_x_y", f"snapbus_{key.id}_", text_of_it.upper(), WORD):
        assert access.by_key(no_key) is None

    fresh = access.keys.rotate(row(access, key), ROOT)
    assert access.by_key(text_of_it) and access.by_key(fresh)
    access.keys.rotate(row(access, key), ROOT, overlap=timedelta(0))
    assert access.by_key(text_of_it) is None and access.by_key(fresh) is None

    soon = now() + timedelta(minutes=1)
    _, short = access.keys.add("guest", ["read"], ROOT, expires_at=soon)
    assert access.by_key(short)
    with monkeypatch.context() as later:
        later.setattr("shared.access.keys.now", lambda: soon)
        assert access.by_key(short) is None

    third, text_of_third = access.keys.add("third", ["read"], ROOT)
    visitor = access.by_key(text_of_third)
    access.keys.revoke(row(access, third), ROOT)
    assert access.by_key(text_of_third) is None
    assert visitor and not access.still(visitor)
    assert actions(access)[0] == "key_revoked"


@pytest.mark.promise("sec B2")
def test_noting_that_a_key_was_used_does_not_undo_its_revocation(
    access: Access, monkeypatch: pytest.MonkeyPatch
):
    key, text_of_it = access.keys.add("house", ["read"], ROOT)
    rows = access.keys._rows
    stale = rows.get(key.id)
    access.keys.revoke(key, ROOT)

    with monkeypatch.context() as before:
        before.setattr(rows, "get", lambda _id: stale)
        access.by_key(text_of_it)  # read before the revocation, written after it

    assert access.by_key(text_of_it) is None


def test_a_key_for_ingest_is_of_one_camera_and_one_that_administers_of_all(access: Access):
    for scopes, cameras in (
        (["ingest"], None), (["ingest"], ["a", "b"]), (["administer"], ["a"]), ([], None),
        (["fly"], None),
    ):  # fmt: skip
        with pytest.raises(AccessError):
            access.keys.add("x", scopes, ROOT, cameras=cameras)
    assert access.keys.all() == []
    access.keys.add("x", ["ingest"], ROOT, cameras=["porch"])


@pytest.mark.promise("feat L4")
def test_a_key_has_a_rate(access: Access):
    _, text_of_it = access.keys.add("busy", ["read"], ROOT, rate=3)
    for _ in range(3):
        assert access.by_key(text_of_it)

    with pytest.raises(Throttled) as caught:
        access.by_key(text_of_it)

    assert 0 < caught.value.after_s <= 20


@pytest.mark.promise("sec B2")
def test_how_much_of_a_secret_is_right_can_not_be_told_by_the_time_it_takes():
    right = tokens.fresh()
    hash_ = tokens.hash_of(right)
    wrong = {"at its begin": "~" + right[1:], "at its end": right[:-1] + "~"}
    best = dict.fromkeys(wrong, float("inf"))
    for _ in range(10_000):
        for where, secret in wrong.items():
            began = time.perf_counter_ns()
            tokens.same(hash_, secret)
            best[where] = min(best[where], time.perf_counter_ns() - began)
    assert max(best.values()) < 1.5 * min(best.values())


# Logging in


@pytest.fixture
def seconds(access: Access) -> list[float]:
    """The clock of the throttle."""
    seconds = [0.0]
    access.login._throttle = Throttle(lambda: seconds[0])
    return seconds


@pytest.mark.promise("sec B14")
def test_many_addresses_guess_no_faster_than_one_and_lock_nobody_out(access, seconds, monkeypatch):
    checked = []

    def fits(_known: str, word: str) -> bool:
        checked.append(word)
        return word == WORD

    monkeypatch.setattr(passwords, "fits", fits)
    anna = access.people.add("anna", "administrator", ROOT, password=WORD)
    access.sessions.begin(anna, Actor("anna", address="192.0.2.7"))
    told = 0
    for second in range(100):
        seconds[0] = float(second)
        for number in range(5):  # 500 words from 200 addresses
            with pytest.raises(AccessError) as caught:
                access.login.person("anna", "wrong", f"198.51.{second}.{number}")
            told += isinstance(caught.value, Throttled)
        if second % 10 == 0:
            assert access.login.person("anna", WORD, "192.0.2.7") == anna, "from her own address"
    guesses = len(checked) - 10
    assert guesses <= 100, "under one a second"
    assert told == 500 - guesses
    assert {"login_refused", "login_throttled"} <= set(actions(access))
    assert actions(access).count("login_throttled") <= 2, "told once a minute"


def test_who_guesses_at_many_names_does_not_fill_the_journal(access, seconds, monkeypatch):
    monkeypatch.setattr(passwords, "fits", lambda known, word: False)
    for number in range(300):
        with pytest.raises(AccessError):
            access.login.person(f"name{number}", "wrong", f"198.51.{number % 3}.{number % 50}")

    assert len(access.ledger.noted("default", 0, 500)) <= 60


def test_an_address_has_only_so_many_tries_for_all_names(access, seconds, monkeypatch):
    monkeypatch.setattr(passwords, "fits", lambda known, word: False)
    throttled = 0
    for number in range(50):
        with pytest.raises(AccessError) as caught:
            access.login.person(f"name{number}", "wrong", "198.51.100.1")
        throttled += isinstance(caught.value, Throttled)
    assert throttled == 40


def test_a_device_that_is_known_has_tries_of_its_own(access, seconds):
    anna = access.people.add("anna", "viewer", ROOT, password=WORD)
    access.sessions.begin(anna, Actor("anna", address="192.0.2.7"), device="phone")
    for _ in range(8):
        with pytest.raises(AccessError):
            access.login.person("anna", "wrong", "198.51.100.1")
    with pytest.raises(Throttled):
        access.login.person("anna", WORD, "198.51.100.1")

    assert access.login.person("anna", WORD, "198.51.100.1", device="phone") == anna


@pytest.mark.promise("sec B14")
def test_an_unknown_name_is_answered_like_a_wrong_password(access):
    access.people.add("anna", "viewer", ROOT, password=WORD)
    told = set()
    for name in ("anna", "nobody"):
        with pytest.raises(AccessError) as caught:
            access.login.person(name, "wrong password", "192.0.2.1")
        told.add(str(caught.value))
    assert len(told) == 1


@pytest.mark.promise("sec B14")
def test_the_first_account_needs_the_code_or_this_machine(access):
    for wrong in ("", "AAAA-BBBB-CCCC", "é"):
        with pytest.raises(AccessError, match="code"):
            access.login.first(wrong, "192.0.2.1", trusted=False)
    access.login.first(access.login.code.lower().replace("-", " "), "192.0.2.1", trusted=False)
    access.login.first("", "127.0.0.1", trusted=True)

    access.people.add("anna", "administrator", ROOT, password=WORD, first=True)
    for trusted in (True, False):
        with pytest.raises(AccessError, match="already"):
            access.login.first(access.login.code, "127.0.0.1", trusted=trusted)


# What a visitor sees


def test_what_is_noted_is_for_administrators_of_the_organisation(access, journal):
    root = access.people.add("root", "administrator", ROOT, password=WORD)
    anna = access.people.add("anna", "viewer", ROOT, password=WORD)
    other = access.people.add("olga", "administrator", Actor("terminal", "other"), password=WORD)
    sees = {}
    for person in (root, anna, other):
        visitor = access.by_cookie(access.sessions.begin(person, Actor(person.name)))
        assert isinstance(visitor, Visitor)
        noted = access.ledger.noted(None, 0, 50)[-1].event
        assert noted.data["what"] == "root"
        sees[person.name] = visitor.sees(noted)
    assert sees == {"root": True, "anna": False, "olga": False}
    tested = CameraTested(camera="porch", door="ftp").event(subject="porch", cause="x")
    assert not NOBODY.sees(tested)
