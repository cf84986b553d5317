"""The page when something is wrong: dead work, lost connections, hostile names, small screens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from shared.events import CameraFailed, SnapshotRequested, now
from tests.support.api import CAMERAS, CAR, PERSON, running_api
from tests.support.fakes import eventually
from tests.support.ports import free_ports

WANTED = SnapshotRequested.topic
ATTACKS = (
    "<img src=x onerror=window.pwned=1>",
    '"><svg/onload=window.pwned=1>',
    "javascript:window.pwned=1//",
    "{{7*7}}${7*7}<script>window.pwned=1</script>",
)


def card(page: Page, taken) -> Locator:
    return page.locator(f'.card[data-id="{taken.snapshot_id}"]')


def test_a_picture_can_be_taken_now_and_what_became_of_it_is_told(api, page):
    page.goto(api.url)
    button = page.get_by_role("button", name="Take a picture now: Front door")
    button.click()
    expect(page.locator(".toast").first).to_contain_text("Asked Front door")
    taken = api.take(cause=api.announced[0], key=api.announced[0].id, door="fetch")
    expect(page.locator('.toast[data-kind="good"]')).to_contain_text("here it is")
    expect(card(page, taken)).to_be_visible()

    button.click()
    asked = eventually(lambda: [each for each in api.announced if each.topic == WANTED][1:])[0]
    expect(button).to_be_disabled()
    failed = CameraFailed(camera="porch", reason="login refused")
    api.context.record([failed.event(subject="porch", cause=asked)])
    expect(page.locator('.toast[data-kind="error"]')).to_contain_text("login refused")
    expect(page.locator(".camera").first).to_contain_text("failed")
    expect(page.get_by_role("button", name=re.compile("Take a picture now: Street"))).to_have_count(
        0
    )


@pytest.mark.promise("feat I2")
def test_the_system_page_tells_what_is_wrong_and_tries_dead_work_again(api, page):
    taken = api.take()
    api.give_up("detector", taken, "the engine ran out of memory")
    api.context.journal.report("api", now(), {"ok": True, "summary": "page on port 1"})
    summary = "not analysing: no model: run task model"
    api.context.journal.report("detector", now(), {"ok": False, "summary": summary})
    page.goto(f"{api.url}/system")

    expect(page.locator("h1")).to_have_text("Something needs a look")
    expect(page.locator(".part", has_text="detector")).to_contain_text("no model: run task model")
    for service, state in (("api", "up"), ("detector", "up, not well"), ("drive", "down")):
        part = page.locator(".part", has=page.get_by_text(service, exact=True))
        expect(part.locator(".updown")).to_have_text(state)
    expect(page.locator("#health")).to_have_text("Needs a look")
    work = page.locator(".work li")
    expect(work).to_contain_text("the engine ran out of memory")
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(work.locator(".state")).to_have_text("Will try again")
    page.get_by_role("link", name="Show").click()
    expect(page.locator("#viewer .trouble")).to_contain_text("the engine ran out of memory")


@pytest.mark.promise("fault S3")
def test_a_lost_connection_is_told_and_nothing_is_missed_afterwards(tmp_path, page):
    (port,) = free_ports(1)
    tree = {"api": {"port": port}}
    with running_api(tmp_path, tree) as api:
        before = api.take(name="1.jpg")
        page.goto(api.url)
        expect(card(page, before)).to_be_visible()
        expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#banner")).to_contain_text("connection is lost")
    with running_api(tmp_path, tree) as api:
        meanwhile = api.take(name="2.jpg")
        expect(page.locator("#banner")).to_be_hidden()
        expect(card(page, meanwhile)).to_be_visible()
        after = api.take(name="3.jpg")
        expect(card(page, after)).to_be_visible()


def test_a_part_of_the_page_that_does_not_come_is_asked_for_again(api, page):
    cut = iter(["dom.js"])

    def once(route: Route) -> None:
        if next(cut, None):
            route.abort()
        else:
            route.continue_()

    page.route("**/static/js/dom.js", once)
    page.goto(api.url)
    expect(page.locator(".empty")).to_be_visible()


@pytest.mark.promise("sec B7")
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_name_or_error_text_becomes_markup(tmp_path, page, attack):
    cameras = {"porch": {**CAMERAS["porch"], "place": attack}}
    with running_api(tmp_path, {"cameras": cameras}) as api:
        taken = api.take(name=attack)
        analyzed = api.analyze(taken, {**PERSON, "label": attack[:64]})
        api.archive(analyzed, attack)
        dead = api.take(name="2.jpg")
        api.give_up("detector", dead, attack)
        api.analyze(api.take(name="3.jpg"), reason=attack)
        failed = CameraFailed(camera="porch", reason=attack).event(subject="porch", cause="x")
        api.context.record([failed])
        api.context.journal.report("camera", failed.time, {"ok": False, "summary": attack})

        page.goto(api.url)
        expect(page.locator(".card strong").first).to_have_text(attack)
        page.locator("select[data-key=label]").select_option(attack[:64])
        card(page, taken).click()
        expect(page.locator("#viewer .facts")).to_contain_text(attack)
        page.locator("#viewer .story summary").last.click()
        page.keyboard.press("Escape")
        page.goto(f"{api.url}/system")
        expect(page.locator(".work")).to_contain_text(attack)
        expect(page.locator(".parts")).to_contain_text(attack)
        assert page.evaluate("window.pwned") is None
        assert page.locator("img[src='x']").count() == 0


@pytest.mark.promise("sec B8")
def test_a_form_of_a_foreign_page_asks_for_no_picture(api, browser):
    context = browser.new_context()
    foreign = context.new_page()
    action = f"{api.url}/v1/cameras/porch/snapshots"
    html = f'<form id="f" method="post" action="{action}"></form><script>f.submit()</script>'
    foreign.route(
        "http://evil.test/", lambda route: route.fulfill(content_type="text/html", body=html)
    )
    with foreign.expect_response(re.compile("/v1/cameras/porch/snapshots")) as posted:
        foreign.goto("http://evil.test/")
    assert posted.value.status == 403
    assert not api.announced
    context.close()


def test_on_a_phone_everything_fits_and_nothing_scrolls_sideways(api, browser):
    taken = api.take(name="a-rather-long-name-that-a-camera-made-up-" + "x" * 120 + ".jpg")
    api.archive(api.analyze(taken, PERSON, CAR))
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    phone = context.new_page()
    width = "document.scrollingElement.scrollWidth"
    phone.goto(api.url)
    expect(card(phone, taken)).to_be_visible()
    assert phone.evaluate(width) <= 360
    card(phone, taken).click()
    expect(phone.locator("#viewer .story li")).to_have_count(3)
    assert phone.evaluate("document.querySelector('.side').scrollWidth") <= 360
    phone.goto(f"{api.url}/system")
    expect(phone.locator(".part").first).to_be_visible()
    assert phone.evaluate(width) <= 360
    context.close()
