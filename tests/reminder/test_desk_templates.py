"""The pages of templates and of the contact policy in a real browser: what is typed is checked, shown and published."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from services.reminder.desk_policy import rules as policy_page
from services.reminder.desk_templates.rules import changed, typed
from services.reminder.policies.rules import ChannelDocument, PolicyDocument
from services.reminder.wordings.rules import PARTS, shipped
from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
EVIL = "Acme </iframe></textarea><script>alert('x')</script> & Söhne"


@pytest.fixture
async def tab(desk: Desk, keys_folder: Path, chromium: Browser) -> AsyncIterator[Tab]:
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "ben") as tab:
        yield tab
        assert tab.complaints == []


async def template(desk: Desk, language: str = "en", tone: str = "firm", **query: Any) -> tuple[int, dict[str, Any]]:
    """Its version and one of its variants."""
    found = await desk.get("/v1/templates/first-reminder", **query)
    return found["version"], next(
        each for each in found["variants"] if (each["language"], each["tone"]) == (language, tone)
    )


# --- pure ---


def test_words_that_are_no_other_than_the_shipped_ones_are_not_kept_as_own() -> None:
    original = shipped()["first-reminder"].wordings[0]
    same = typed(original.language, original.tone, {part: f" {original.parts[part]}\r\n" for part in PARTS})
    assert changed((), same, original) == ()
    other = typed(original.language, original.tone, {**original.parts, "heading": "Hello"})
    assert changed((), other, original) == (other,)
    assert changed((other,), same, original) == ()


@pytest.mark.parametrize(
    "document",
    [
        PolicyDocument(),
        PolicyDocument(
            contacts_max=2,
            weekdays=("monday", "friday"),
            rest_on_public_holidays=True,
            presets=("reg_f",),
            channels={"sms": ChannelDocument(contacts_max=1, within_days=14, opens=time(10))},
        ),
    ],
)
def test_the_form_says_what_the_policy_says(document: PolicyDocument) -> None:
    form = policy_page.form_of(document)
    sent = [*form.values.items(), *(("ticked", name) for name in form.ticked)]
    assert policy_page.read(policy_page.form_sent(sent)) == document


@pytest.mark.parametrize(
    ("field", "value", "faulty"),
    [
        ("contacts_max", "0", "contacts_max"),
        ("contacts_max", "1", None),
        ("contacts_max", "many", "contacts_max"),
        ("within_days", "91", "within_days"),
        ("opens", "18:00", ""),
        ("opens", "17:59", None),
        ("sms_contacts_max", "0", "sms_contacts_max"),
        ("sms_opens", "19:00", ""),
        ("call_within_days", "3", None),
    ],
)
def test_a_field_that_cannot_be_so_is_named(field: str, value: str, faulty: str | None) -> None:
    form = policy_page.form_of(PolicyDocument())
    read = policy_page.read(policy_page.Form({**form.values, field: value}, form.ticked))
    assert ([each.field for each in read] if isinstance(read, list) else None) == (None if faulty is None else [faulty])


def test_a_policy_reads_as_sentences() -> None:
    document = PolicyDocument(
        contacts_max=1,
        min_gap_days=3,
        weekdays=("monday", "tuesday", "wednesday"),
        silence_days_after_conversation=1,
        presets=("reg_f",),
        channels={"sms": ChannelDocument(contacts_max=2, closes=time(16))},
    )
    said = " ".join(policy_page.sentences(document))
    assert "hears of us once in any 7 days at most" in said
    assert "3 days after the last one" in said
    assert "from Monday to Wednesday, from 09:00 until 18:00" in said
    assert "for a day" in said
    assert "Regulation F: 7 in 7 days" in said
    assert "Text message: twice in any 7 days at most, not from 16:00 on." in said


# --- templates ---


@needs_chromium
async def test_a_fault_is_named_while_typing_and_fixed_words_are_previewed_and_published(desk: Desk, tab: Tab) -> None:
    await tab.go("/templates")
    assert "used by" in await tab.text("tbody")
    await tab.page.click("tr:has-text('first-reminder') a:text-is('firm')")
    await tab.page.fill("#opening", "Dear {{ customer }},\nyou owe {{ total_sum }}")
    await tab.page.wait_for_selector(".remarks .fault")
    assert "line 2 there is no 'total_sum'" in await tab.text("#remarks")
    assert await tab.page.is_disabled("button[data-publish]")
    await tab.page.click(".remarks .fault a")
    picked = "(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.getElementById('opening'))"
    assert await tab.page.evaluate(picked) == "you owe {{ total_sum }}"

    await tab.page.fill("#opening", "You owe {{ total }} & <b>more</b>")
    await tab.page.fill("#sms", "Pay {{ total }}: {{ pay_link }} " + "please " * 20)
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    mail = tab.page.frame_locator("iframe.mail")
    await mail.get_by_text("You owe €1,250.50 & <b>more</b>").wait_for()
    assert await tab.page.get_attribute("iframe.mail", "sandbox") == ""
    assert "2 segments" in await tab.text("#shown")
    await tab.press("Publish")
    assert "Published" in await tab.text("[role=status]")
    version, variant = await template(desk)
    assert (version, variant["source"], variant["opening"]) == (1, "installation", "You owe {{ total }} & <b>more</b>")
    assert (await template(desk, tone="friendly"))[1]["source"] == "shipped"

    await tab.press("Back to the shipped words")
    version, variant = await template(desk)
    assert (version, variant["source"]) == (2, "shipped")
    assert "Back to" not in await tab.text()


@needs_chromium
async def test_the_preview_follows_a_real_account_found_by_its_number(desk: Desk, tab: Tab) -> None:
    customer = await desk.onboard(name=EVIL)
    await desk.issue(customer, DUE, number="R-77", minor=4_200)
    await desk.until(date(2026, 2, 3))
    external_id = (await desk.get(f"/v1/cases/{customer.id}"))["external_id"]
    await tab.go("/templates/first-reminder?language=en&tone=friendly")
    await tab.page.fill("input[name=account]", external_id)
    await tab.page.wait_for_selector("#shown :text('Acme')")
    assert EVIL in await tab.text("#shown")
    await tab.page.frame_locator("iframe.mail").get_by_text("R-77").first.wait_for()
    assert await tab.page.locator("iframe").count() == 1
    await tab.page.fill("input[name=account]", "nobody")
    await tab.page.wait_for_selector("#shown :text('There is no such account')")


@needs_chromium
async def test_a_wording_is_added_in_a_new_tone_and_a_new_template_begins_like_another(desk: Desk, tab: Tab) -> None:
    await tab.go("/templates/final-notice?language=fr&tone=firm")
    assert "no words yet" in await tab.text(".chips")
    await tab.page.fill("#heading", "Dernier rappel")
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    await tab.press("Publish")
    assert "own words for all entities" in await tab.text(".chips")
    await tab.go("/templates")
    await tab.page.fill("input[name=name]", "key-note")
    await tab.page.select_option("select[name=like]", "due-soon")
    await tab.press("Begin")
    await tab.press("Publish")
    made = await desk.get("/v1/templates/key-note")
    assert (made["occasion"], made["version"]) == ("before_due", 1)


@needs_chromium
async def test_words_that_somebody_else_changed_meanwhile_are_not_overwritten_unseen(desk: Desk, tab: Tab) -> None:
    await tab.go("/templates/first-reminder?language=en&tone=firm")
    _, variant = await template(desk)
    body = {"variants": [{key: value for key, value in {**variant, "heading": "Theirs"}.items() if key != "source"}]}
    answer = await desk.http.put("/v1/templates/first-reminder", json=body, headers={"if-match": '"0"'})
    assert answer.is_success, answer.text
    await tab.page.fill("#heading", "Mine")
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    await tab.press("Publish")
    assert "Somebody else changed it" in await tab.text("[role=alert]")
    assert "Theirs" in await tab.text(".meanwhile")
    assert await tab.page.input_value("#heading") == "Mine"
    assert (await template(desk))[1]["heading"] == "Theirs"
    tab.complaints.clear()  # The browser notes the refusal's status.


# --- the contact policy ---


@needs_chromium
async def test_the_policy_is_changed_in_a_form_that_says_what_it_means(desk: Desk, tab: Tab) -> None:
    await tab.go("/contact-policy")
    await tab.page.fill("#opens", "19:00")
    await tab.page.wait_for_selector(".remarks .fault")
    assert "closes before it opens" in await tab.text("#remarks")
    assert await tab.page.is_disabled("button[data-publish]")
    await tab.page.fill("#opens", "10:00")
    await tab.page.fill("#min_gap_days", "20")
    await tab.page.uncheck("input[value=sunday]")
    await tab.page.wait_for_selector("#remarks h3")
    assert "from Monday to Saturday, from 10:00 until 18:00" in await tab.text("#remarks")
    assert "'second-reminder' opens on day 7, but comes on day" in await tab.text("#remarks")
    await tab.press("Publish version 1")
    policy = await desk.get("/v1/contact-policy")
    assert (policy["version"], policy["min_gap_days"], policy["opens"]) == (1, 20, "10:00:00")
    assert policy["published_by"] == "ben"
    assert "Version 1" in await tab.text(".head")


# --- all of them ---


@needs_chromium
async def test_a_reader_sees_what_there_is_but_no_forms(desk: Desk, keys_folder: Path, chromium: Browser) -> None:
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "rea", "reminders:read") as tab:
        for path in ("/templates", "/templates/first-reminder", "/contact-policy"):
            await tab.go(path)
            assert await tab.page.locator("main form").count() == 0, path
        assert "3 times in any 7 days" in await tab.text()
        answer = await tab.page.request.post(
            f"{tab.url}/contact-policy", form={"version": "0"}, headers={"origin": tab.url}
        )
        assert answer.status == 403


@needs_chromium
@pytest.mark.parametrize("width", [375, 1280])
async def test_the_pages_fit_a_phone_and_a_desktop(desk: Desk, tab: Tab, width: int) -> None:
    await tab.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/templates", "/templates/first-reminder?language=de", "/contact-policy"):
        await tab.go(path)
        assert await tab.overflow() <= 0, path
