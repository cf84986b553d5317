"""Passwords, and how slowly they can be guessed."""

from __future__ import annotations

import pytest

from shared.ingest.accounts import LONGEST_DELAY_S, Account, Accounts


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def accounts(clock):
    both = {name: Account(name, name, f"secret of {name}") for name in ("porch", "yard")}
    return Accounts(lambda: both, clock)


def attempt(accounts, clock, address, username, password):
    """One login as the server makes it; how long it took, or None when sent away."""
    start = clock.time
    wait = accounts.wait_s(address, username)
    if wait > LONGEST_DELAY_S:
        return None
    clock.time += wait
    if not accounts.check(address, username, password):
        clock.time += accounts.delay_s(address, username)
    return clock.time - start


def test_the_right_password_opens_and_others_do_not(accounts):
    assert accounts.check("10.0.0.1", "porch", "secret of porch").camera == "porch"
    assert accounts.check("10.0.0.1", "porch", "secret of yard") is None
    assert accounts.check("10.0.0.1", "nobody", "secret of porch") is None
    assert accounts.check("10.0.0.1", "", "") is None


@pytest.mark.promise("sec A5")
def test_after_ten_guesses_there_is_less_than_one_a_second(accounts, clock):
    for number in range(10):
        attempt(accounts, clock, "10.0.0.9", "porch", f"guess {number}")
    start, done = clock.time, 0
    while clock.time < start + 600:
        attempt(accounts, clock, "10.0.0.9", "porch", "guess")
        done += 1
    assert done / 600 < 0.1


@pytest.mark.promise("sec A5")
def test_guesses_at_the_same_time_wait_for_one_another(accounts, clock):
    for number in range(10):
        attempt(accounts, clock, "10.0.0.9", "porch", f"guess {number}")
    waits = [accounts.wait_s("10.0.0.9", "porch") for _ in range(50)]
    assert sum(1 for wait in waits if wait <= LONGEST_DELAY_S) <= 2


@pytest.mark.promise("sec A5")
def test_a_camera_that_was_there_before_is_not_held_up_by_its_neighbours(accounts, clock):
    assert attempt(accounts, clock, "172.18.0.1", "yard", "secret of yard") == 0
    for number in range(20):
        attempt(accounts, clock, "172.18.0.1", "porch", f"guess {number}")
    assert attempt(accounts, clock, "172.18.0.1", "yard", "secret of yard") == 0


@pytest.mark.promise("sec A5")
def test_an_attacker_does_not_profit_from_a_camera_that_was_there_before(accounts, clock):
    attempt(accounts, clock, "172.18.0.1", "yard", "secret of yard")
    start = clock.time
    for number in range(20):
        attempt(accounts, clock, "172.18.0.1", "yard", f"guess {number}")
    assert 20 / (clock.time - start) < 0.1


def test_other_addresses_are_not_held_up(accounts, clock):
    for number in range(20):
        attempt(accounts, clock, "10.0.0.9", "porch", f"guess {number}")
    assert attempt(accounts, clock, "10.0.0.2", "porch", "secret of porch") == 0


def test_failures_are_forgotten_in_time(accounts, clock):
    for number in range(20):
        attempt(accounts, clock, "10.0.0.9", "porch", f"guess {number}")
    clock.time += 1000
    assert attempt(accounts, clock, "10.0.0.9", "porch", "secret of porch") == 0
