"""What an engine costs that is paid, on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from shared.events import now


@pytest.mark.promise("feat E29")
def test_the_page_shows_what_a_paid_engine_costs_and_when_its_budget_is_spent(api, page):
    day = {"calls": 120, "money": 0.12, "budget": 1.0, "refused": 0}
    month = {"calls": 2310, "money": 2.31, "budget": None, "refused": 0}
    paid = {"currency": "USD", "since_start": {}, "periods": {"day": day, "month": month}}
    told = {"ok": True, "summary": "asks Amazon", "paid": {"rekognition": paid}}
    api.context.journal.report("rekognition", now(), told)
    page.goto(f"{api.url}/system")
    tile = page.locator(".tile", has_text="Paid: rekognition")

    expect(tile.locator("b")).to_have_text("0.12 USD")
    expect(tile).to_contain_text("today 0.12 of 1.00, month 2.31")

    day |= {"money": 1.0, "refused": 3}
    api.context.journal.report("rekognition", now(), told)
    expect(tile).to_contain_text("budget spent: 3 pictures not sent", timeout=15_000)
    expect(tile).to_have_attribute("data-bad", "true")
