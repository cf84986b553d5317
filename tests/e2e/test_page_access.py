"""People and keys on the page: the first account, logging in and out, and what a viewer sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from shared.access import Access, Actor
from tests.support.api import PERSON, Api, running_api

WORD = "correct horse"
ROOT = Actor("terminal")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path, {"api": {"open": False}}) as server:
        yield server


@pytest.fixture
def access(api: Api) -> Access:
    return Access(api.context.journal)


def log_in(page: Page, name: str, password: str = WORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.promise("sec B14")
def test_the_first_minutes_from_the_first_account_to_a_key_that_works(api, page):
    taken = api.take()
    api.analyze(taken, PERSON)
    page.goto(f"{api.url}/snapshots/{taken.snapshot_id}")
    expect(page.get_by_role("heading", name="The first account")).to_be_visible()
    expect(page.get_by_label("Code")).to_have_count(0)  # from this machine itself
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(WORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.locator("dialog.viewer")).to_contain_text("Front door")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Access").click()
    expect(page.locator("[data-person=anna]")).to_contain_text("administrator, all cameras")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name").fill("house")
    page.get_by_role("button", name="Make it").click()
    key = page.locator(".secret").inner_text()
    assert api.ask("/v1/snapshots", Authorization=f"Bearer {key}").status == 200
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".access")).not_to_contain_text(key)
    expect(page.locator("[data-action=key_added]")).to_contain_text("made key house")

    page.locator("[data-key=house]").get_by_role("button", name="New secret").click()
    fresh = page.locator(".secret").inner_text()
    assert fresh != key
    assert api.ask("/v1/snapshots", Authorization=f"Bearer {fresh}").status == 200


@pytest.mark.promise("sec B14")
def test_a_viewer_made_before_there_is_an_administrator_can_log_in(api, access, page):
    access.people.add("bob", "viewer", ROOT, password=WORD)
    page.goto(api.url)
    expect(page.get_by_role("heading", name="The first account")).to_be_visible()
    page.get_by_role("button", name="I have an account").click()
    expect(page.get_by_role("button", name="Make the first account")).to_be_visible()
    log_in(page, "bob")
    expect(page.locator("#me")).to_contain_text("bob")


@pytest.mark.promise("sec B14")
def test_who_logs_in_sees_their_cameras_and_may_do_what_their_role_may(api, access, page):
    access.people.add("anna", "administrator", ROOT, password=WORD)
    access.people.add("bob", "viewer", ROOT, password=WORD, cameras=["street"])
    mine, other = api.take("street"), api.take("porch")
    page.goto(api.url)
    log_in(page, "bob", "not this one")
    expect(page.locator(".trouble")).to_have_text("The name or the password is wrong.")
    log_in(page, "bob")

    expect(page.locator(f'.card[data-id="{mine.snapshot_id}"]')).to_be_visible()
    expect(page.locator(f'.card[data-id="{other.snapshot_id}"]')).to_have_count(0)
    expect(page.locator(".camera")).to_have_count(1)
    expect(page.get_by_role("link", name="Access")).to_have_count(0)
    api.take("porch")
    new = api.take("street")
    expect(page.locator(f'.card[data-id="{new.snapshot_id}"]')).to_be_visible()
    expect(page.locator(".card[data-id]")).to_have_count(2)

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)


@pytest.mark.promise("sec B11")
def test_who_is_removed_is_shown_the_login(api, access, page):
    access.people.add("anna", "administrator", ROOT, password=WORD)
    bob = access.people.add("bob", "viewer", ROOT, password=WORD)
    page.goto(api.url)
    log_in(page, "bob")
    expect(page.locator("#me")).to_contain_text("bob")

    access.people.remove(bob, ROOT)

    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_people_are_added_and_changed_on_the_page_and_names_stay_text(api, access, page):
    access.people.add("anna", "administrator", ROOT, password=WORD)
    page.goto(f"{api.url}/access")
    log_in(page, "anna")
    name = "<img src=x onerror=alert(1)>"
    page.get_by_role("button", name="Add somebody").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(WORD)
    page.get_by_role("checkbox", name="Street").check()
    page.get_by_role("button", name="Add", exact=True).click()
    row = page.locator(".rows li", has_text=name)
    expect(row).to_contain_text("viewer, street")

    row.get_by_role("button", name="Change").click()
    page.get_by_label("Role").select_option("operator")
    page.get_by_role("checkbox", name="Street").uncheck()
    page.locator("form").get_by_role("button", name="Change").click()
    expect(row).to_contain_text("operator, all cameras")
    expect(page.locator("[data-action=person_changed]")).to_contain_text(name)


def test_nobody_is_added_before_it_is_known_which_cameras_there_are(api, access, page):
    """Without boxes to tick, whoever is added in a hurry would see all of them."""
    access.people.add("anna", "administrator", ROOT, password=WORD)
    page.goto(api.url)
    log_in(page, "anna")
    expect(page.locator("#me")).to_contain_text("anna")
    expect(page.locator(".camera")).to_have_count(2)
    held: list[Route] = []
    page.route("**/v1/cameras", lambda route: held.append(route))
    page.get_by_role("link", name="Access").click()
    for name in ("Add somebody", "Make a key"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    while held:
        held.pop().continue_()
    for name in ("Add somebody", "Make a key"):
        expect(page.get_by_role("button", name=name)).to_be_enabled()


def test_an_open_page_says_that_it_is_open(tmp_path, page):
    with running_api(tmp_path / "open") as api:
        page.goto(api.url)
        expect(page.locator("#open")).to_contain_text("No login is asked here")
        expect(page.locator(".empty")).to_be_visible()
