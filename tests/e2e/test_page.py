"""The page in a real browser: a live gallery, filters, and one snapshot's whole story."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from services.drive.archives.google.archive import OFFER
from shared.events import CameraFailed, CameraTested, now
from tests.support.api import CAR, PERSON, running_api
from tests.support.pictures import damaged, jpeg, scene


def card(page: Page, taken) -> Locator:
    return page.locator(f'.card[data-id="{taken.snapshot_id}"]')


@pytest.mark.promise("feat I1")
def test_an_empty_gallery_says_how_to_point_a_camera_at_it(api, page):
    page.goto(api.url)

    empty = page.locator(".empty")
    expect(empty).to_contain_text("No snapshot yet")
    expect(empty).to_contain_text("Front door")
    expect(empty).to_contain_text("2121")
    expect(empty).to_contain_text("str33t")
    expect(empty).not_to_contain_text("canary")


@pytest.mark.promise("feat I1")
def test_a_new_snapshot_appears_by_itself_and_its_state_moves_on(api, page):
    page.goto(api.url)
    expect(page.locator(".empty")).to_be_visible()

    taken = api.take(data=jpeg(scene(640, 360)))
    mine = card(page, taken)
    expect(mine.locator(".state")).to_have_text("Taken")
    expect(mine.locator(".finding")).to_have_text("Being analysed …")
    analyzed = api.analyze(taken, PERSON, CAR)
    expect(mine.locator(".state")).to_have_text("Analysed")
    expect(mine.locator(".finding").first).to_contain_text("person91 %")
    api.archive(analyzed)
    expect(mine.locator(".state")).to_have_text("Archived")

    expect(mine.locator("img.here")).to_be_visible()
    alt = mine.locator("img").get_attribute("alt")
    assert re.fullmatch(r"person 91 %, car 62 %, Front door, \d\d:\d\d", str(alt))
    box = mine.locator(".boxes .line").last
    assert [float(str(box.get_attribute(name))) for name in ("x", "y")] == [160, 120]
    expect(page.locator(".empty")).to_have_count(0)


def test_not_analysed_looks_different_from_nothing_found(api, page):
    api.analyze(api.take("porch"), reason="no model: run task model")
    api.analyze(api.take("street"))
    page.goto(api.url)

    blind, nothing = page.locator(".finding.blind"), page.locator(".finding.nothing")
    expect(blind).to_have_text("Not analysed: no model: run task model")
    expect(nothing).to_have_text("Nothing found")
    expect(blind).to_have_css("border-style", "dashed")
    expect(nothing).to_have_css("border-style", "none")


def test_filters_are_chips_live_in_the_address_and_hold_for_new_snapshots(api, page):
    person, car = api.take("porch"), api.take("street")
    api.analyze(person, PERSON)
    api.analyze(car, CAR)
    page.goto(api.url)
    expect(page.locator(".card[data-id]")).to_have_count(2)

    page.locator("select[data-key=label]").select_option("person")
    expect(page.locator(".card[data-id]")).to_have_count(1)
    expect(page).to_have_url(f"{api.url}/?label=person")
    another = api.take("street")
    api.analyze(api.take("porch"), CAR)
    api.analyze(another, PERSON)
    expect(card(page, another)).to_be_visible()
    expect(page.locator(".card[data-id]")).to_have_count(2)

    page.reload()
    expect(page.locator(".card[data-id]")).to_have_count(2)
    page.locator("select[data-key=camera]").select_option("porch")
    expect(page.locator(".card[data-id]")).to_have_count(1)
    page.get_by_role("button", name="Remove filter Seen: person").click()
    expect(page).to_have_url(f"{api.url}/?camera=porch")
    page.locator("select[data-key=state]").select_option("quarantined")
    expect(page.locator(".empty")).to_contain_text("No snapshot matches")
    page.get_by_role("button", name="Show all snapshots").click()
    expect(page.locator(".card[data-id]")).to_have_count(4)


def test_a_filter_by_camera_holds_for_new_snapshots(api, page):
    api.take("porch")
    page.goto(f"{api.url}/?camera=porch")
    expect(page.locator(".card[data-id]")).to_have_count(1)

    other, mine = api.take("street"), api.take("porch")
    expect(card(page, mine)).to_be_visible()  # it comes after the other one
    expect(card(page, other)).to_have_count(0)
    api.analyze(other, PERSON)
    api.analyze(mine, PERSON)
    expect(card(page, mine).locator(".state")).to_have_text("Analysed")
    expect(page.locator(".card[data-id]")).to_have_count(2)


@pytest.mark.promise("find D13")
def test_snapshots_with_people_are_marked_and_chosen_by_how_many_there_are(api, page):
    one, car = api.take("porch"), api.take("street")
    api.analyze(one, PERSON)
    api.analyze(car, CAR, CAR)
    page.goto(api.url)
    expect(card(page, one).locator('[data-human="seen"]')).to_contain_text("person")

    page.locator("select[data-key=persons]").select_option("1")
    expect(page.locator(".card[data-id]")).to_have_count(1)
    two = api.take("street")
    api.analyze(api.take("street"), CAR)
    api.analyze(two, PERSON, PERSON)
    expect(card(page, two)).to_be_visible()
    expect(page.locator(".card[data-id]")).to_have_count(2)
    page.get_by_role("button", name="Remove filter People: Human seen").click()
    page.locator("select[data-key=persons]").select_option("2")
    expect(page.locator(".card[data-id]")).to_have_count(1)
    card(page, two).click()
    expect(page.locator("#viewer .counts")).to_have_text("Human seen: 2 people. 2 × person")
    page.goto(f"{api.url}/?label=car&label_count=2")
    expect(page.locator(".card[data-id]")).to_have_count(1)
    api.analyze(api.take("street"), CAR)
    more = api.take("street")
    api.analyze(more, CAR, CAR)
    expect(card(page, more)).to_be_visible()
    expect(page.locator(".card[data-id]")).to_have_count(2)
    page.goto(f"{api.url}/?label=car")
    page.locator("select[data-key=label_count]").select_option("3")
    expect(page.locator(".empty")).to_contain_text("No snapshot matches")


def test_one_snapshot_shows_picture_boxes_detections_story_and_archive_path(api, page):
    taken = api.take(data=jpeg(scene(640, 360)), name="FRONT_0001.JPG")
    api.archive(api.analyze(taken, PERSON, CAR), "2026/01/02/porch_1.jpg")
    page.goto(api.url)

    card(page, taken).click()
    viewer = page.locator("#viewer")
    expect(page).to_have_url(f"{api.url}/snapshots/{taken.snapshot_id}")
    expect(viewer.locator(".story li")).to_have_count(3)
    expect(viewer.locator(".story li").nth(0)).to_contain_text("Pushed by FTP")
    expect(viewer.locator(".story li").nth(1).locator(".since")).to_have_text(re.compile(r"^\+"))
    expect(viewer.locator(".story li").nth(2)).to_contain_text("2026/01/02/porch_1.jpg")
    expect(viewer.locator(".detections li")).to_have_count(2)
    expect(viewer.locator(".facts")).to_contain_text("FRONT_0001.JPG")
    box = viewer.locator(".boxes .line").first
    assert box.get_attribute("x") == "10.000%" and box.get_attribute("width") == "30.000%"
    expect(viewer.locator(".sheet img.here")).to_be_visible()

    page.keyboard.press("b")
    expect(viewer.locator(".overlay")).to_have_css("opacity", "0")
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download the original").click()
    assert download.value.suggested_filename.startswith("porch_")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page).to_have_url(f"{api.url}/")


@pytest.mark.promise("feat B18")
def test_why_it_was_taken_and_a_wrong_clock_are_shown(api, page):
    late = datetime.now(UTC) - timedelta(hours=3)
    taken = api.take(name=f"x_1_{late:%Y%m%d%H%M%S}000_LINE_CROSSING_DETECTION.jpg", zone=UTC)
    page.goto(f"{api.url}/snapshots/{taken.snapshot_id}")

    facts = page.locator("#viewer .facts")
    expect(facts).to_contain_text("line crossing")
    expect(facts).to_contain_text("the file's name")
    expect(facts).to_contain_text("3 h behind the arrival")
    expect(page.locator("#viewer .story li").first).to_contain_text("because of line crossing")


@pytest.mark.promise("fault F7")
def test_a_cameras_test_button_is_seen_at_the_camera(api, page):
    api.take("street")
    page.goto(api.url)
    tile = page.locator('.camera[data-camera="street"]')
    expect(tile).not_to_contain_text("connection test")

    tested = CameraTested(camera="street", door="ftp").event(subject="street", cause="y")
    api.context.record([tested])
    expect(tile).to_contain_text("connection test received")
    page.reload()
    expect(tile).to_contain_text("connection test received")
    api.take("street")
    expect(tile).not_to_contain_text("connection test")


@pytest.mark.promise("feat A20")
def test_a_camera_says_how_its_last_picture_was_got_or_what_to_change(api, page):
    def says(seen: str) -> None:
        told = {"ok": True, "seen": seen, "last_ok": now().isoformat()}
        api.context.journal.report("camera", now(), {"ok": True, "cameras": {"porch": told}})

    says("reached, login: Digest, 2 kB in 0.43 s, clock: right")
    page.goto(api.url)
    told = page.locator('.camera[data-camera="porch"] .told')
    expect(told).to_have_text("reached, login: Digest, 2 kB in 0.43 s, clock: right")

    with page.expect_response(re.compile("/v1/requests/")):
        page.get_by_role("button", name="Take a picture now: Front door").click()
    asked = api.announced[-1]
    failed = CameraFailed(camera="porch", reason="it is off. Is it on?")
    api.context.record([failed.event(subject="porch", cause=asked)])
    expect(page.locator('.toast[data-kind="error"]')).to_contain_text("it is off. Is it on?")
    expect(told).to_have_text("it is off. Is it on?")

    with page.expect_response(re.compile("/v1/requests/")):
        page.get_by_role("button", name="Take a picture now: Front door").click()
    api.take("porch", door="fetch", cause=api.announced[-1])
    says("reached, no login, 3 kB in 0.10 s, clock: 7 hours behind ours")
    expect(page.locator('.toast[data-kind="good"]')).to_contain_text(
        "(reached, no login, 3 kB in 0.10 s"
    )
    expect(told).to_contain_text("clock: 7 hours behind ours")


@pytest.mark.promise("feat A20")
def test_a_page_without_pictures_says_where_a_camera_that_mails_has_to_send(tmp_path, page):
    cameras = {"shed": {"place": "Shed", "mail": {"password": "m"}}}
    with running_api(tmp_path / "other", {"cameras": cameras}) as api:
        page.goto(api.url)
        empty = page.locator(".empty")
        for said in ("2525", "STARTTLS or none; SSL at port 2465", "shed@snapbus.local"):
            expect(empty).to_contain_text(said)


def test_a_detector_without_a_model_offers_the_command_for_one(api, page):
    told = {"ok": True, "summary": "no model", "offer": "./taskw model"}
    api.context.journal.report("detector", now(), told)
    page.goto(f"{api.url}/system")
    expect(page.locator(".offer pre")).to_have_text("./taskw model")
    expect(page.locator(".offer")).to_contain_text("AGPL-3.0")


def test_an_archive_that_nobody_logged_in_to_offers_the_command_for_it(api, page):
    told = {"ok": False, "summary": "nobody", "offer": "./taskw drive:login", "offer_words": OFFER}
    api.context.journal.report("drive", now(), told)
    page.goto(f"{api.url}/system")
    expect(page.locator(".offer pre")).to_have_text("./taskw drive:login")
    expect(page.locator(".offer")).to_contain_text(OFFER)


def test_the_keyboard_is_enough_to_browse(api, page):
    first, second = api.take(name="1.jpg"), api.take(name="2.jpg")
    page.goto(api.url)
    card(page, second).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{api.url}/snapshots/{second.snapshot_id}")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{api.url}/snapshots/{first.snapshot_id}")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(f"{api.url}/snapshots/{second.snapshot_id}")
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()


def test_an_address_of_a_snapshot_opens_it_and_a_wrong_one_says_so(api, page):
    taken = api.take(data=damaged(jpeg())["flipped bytes"])
    api.reject(taken, "Corrupt JPEG data")
    page.goto(f"{api.url}/snapshots/{taken.snapshot_id}")

    viewer = page.locator("#viewer")
    expect(viewer.locator(".placeholder")).to_contain_text("damaged and in quarantine")
    expect(viewer.locator(".story")).to_contain_text("Corrupt JPEG data")
    page.keyboard.press("Escape")
    expect(page.locator(".card .placeholder")).to_contain_text("Damaged picture")
    page.goto(f"{api.url}/snapshots/nonsense")
    expect(page.locator(".toast")).to_contain_text("no such snapshot")
    expect(page).to_have_url(f"{api.url}/")


def test_older_snapshots_come_as_one_scrolls(api, page):
    data = jpeg(scene(64, 48))
    ids = [api.take(data=data, name=f"{n}").snapshot_id for n in range(140)]
    page.goto(api.url)

    expect(page.locator(".card[data-id]")).to_have_count(60)
    for _ in range(40):
        page.mouse.wheel(0, 3000)
        if page.locator(".card[data-id]").count() == 140:
            break
        page.wait_for_timeout(100)
    shown = page.locator(".card[data-id]").evaluate_all("all => all.map(one => one.dataset.id)")
    assert shown == ids[::-1]
    expect(page.locator(".end")).to_contain_text("all there is")
    newer = api.take(data=data)
    page.get_by_role("button", name="1 new snapshot").click()
    expect(card(page, newer)).to_be_in_viewport()


@pytest.mark.promise("inv I7")
def test_two_analysers_and_two_archives_of_one_snapshot_are_shown_as_they_come(api, page):
    taken = api.take(data=jpeg(scene(640, 360)))
    page.goto(f"{api.url}/snapshots/{taken.snapshot_id}")
    seen, facts = page.locator(".detections li"), page.locator(".facts")

    first = api.analyze(taken, CAR)
    expect(seen).to_have_count(1)
    api.analyze(taken, PERSON, analyzer="cloud")
    expect(seen).to_have_count(2)
    api.archive(first, "2026/01/02/a.jpg")
    api.archive(first, "2026/01/02/b.jpg", archive="nas")

    expect(page.locator(".story")).to_contain_text("Analysed by cloud")
    expect(facts).to_contain_text("Archived in folder2026/01/02/a.jpg")
    expect(facts).to_contain_text("Archived in nas2026/01/02/b.jpg")
    page.reload()
    expect(seen).to_have_count(2)
    expect(facts).to_contain_text("Archived in nas2026/01/02/b.jpg")
    told = api.ask(f"/v1/snapshots/{taken.snapshot_id}").json
    assert [each["analyzer"] for each in told["analyses"]] == ["detector", "cloud"]
    assert [each["archive"] for each in told["filings"]] == ["folder", "nas"]
    assert [each["label"] for each in told["detections"]] == ["person", "car"]
