"""The strategy pages in a real browser: the editor that checks, publishing, versions, and moving cases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser

from services.reminder.desk_simulations.rules import Look, draw_chart
from services.reminder.desk_strategies.rules import NotSwitched, clean, differences, draw_ladder, fits_words, switched
from services.reminder.strategies.rules import parse
from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
SHIPPED = {path.stem: path.read_text() for path in Path("services/reminder/strategies").glob("*.yaml")}
EVIL = "</textarea><script>alert(1)</script>"
PATIENT = """\
name: patient
title: Old friends
description: "{said}"
fits:
  segments: [mid]
steps:
  - name: ask
    days_from_due: 5
    channel: email
    tone: friendly
    template: first-reminder
  - name: hand-over
    days_from_due: 40
    actions: [agency_referral]
"""


@pytest.fixture
async def tab(desk: Desk, keys_folder: Path, chromium: Browser) -> AsyncIterator[Tab]:
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "ben") as tab:
        yield tab
        assert tab.complaints == []


async def publish(desk: Desk, name: str, document: str, seen: int = 0) -> None:
    headers = {"content-type": "application/yaml", "if-match": f'"{seen}"'} if seen else {"if-none-match": "*"}
    answer = await desk.http.put(f"/v1/strategies/{name}", content=document, headers=headers)
    assert answer.status_code in (200, 201), answer.text


# --- pure ---


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_flags_of_a_ladder_cover_neither_each_other_nor_another_pole(name: str) -> None:
    flags = draw_ladder(parse(SHIPPED[name])).flags
    for flag in flags:
        for other in flags:
            if flag is not other and flag.x < other.x < flag.x + flag.width:
                assert flag.y + 46 <= other.y, (flag.step.name, other.step.name)


def test_steps_on_neighbouring_days_and_ten_years_apart_are_drawn_too() -> None:
    steps = "".join(
        f"  - {{name: s{day}, days_from_due: {day}, channel: chat, tone: firm}}\n" for day in (-3650, 1, 2, 3, 3650)
    )
    drawn = draw_ladder(parse(f"name: wide\ntitle: Wide\nsteps:\n{steps}".replace("chat", "email, template: t")))
    assert drawn.width < 1_300
    assert len(drawn.ticks) <= 12


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("default", ["Every account that no other strategy fits"]),
        ("small", ["Segment small"]),
        ("strategic", ["Segment key, strategic or enterprise"]),
    ],
)
def test_whom_a_strategy_is_for_reads_as_words(name: str, said: list[str]) -> None:
    assert fits_words(parse(SHIPPED[name])) == said


@pytest.mark.parametrize(
    ("fits", "said"),
    [
        ("countries: [DE, AT], languages: [de]", "Country DE or AT, language de"),
        ("open_balance: {EUR: {min: 1000, max: 50000}}", "Owes 1,000 to 50,000 EUR"),
        ("open_balance: {EUR: {max: 2500}, USD: {min: 5}}", "Owes at most 2,500 EUR or at least 5 USD"),
        ("average_days_late: {min: 5}, broken_promises_min: 2", "Pays at least 5 days late, broke 2 promises or more"),
        ("risk_classes: [D, E, F]", "Risk class D, E or F"),
    ],
)
def test_every_kind_of_account_reads_as_words(fits: str, said: str) -> None:
    document = PATIENT.format(said="").replace("  segments: [mid]", "").replace("fits:", f"fits: {{{fits}}}")
    assert fits_words(parse(document)) == [said]


@pytest.mark.parametrize("name", sorted(SHIPPED.keys() - {"default"}))
def test_switching_changes_one_word_and_keeps_the_comments(name: str) -> None:
    on = switched(SHIPPED[name], active=True)
    assert parse(on).active
    assert [change.kind for change in differences(SHIPPED[name], on) if change.kind in ("added", "gone")] == [
        "gone",
        "added",
    ]
    assert switched(on, active=False) == SHIPPED[name]


@pytest.mark.parametrize(
    "document",
    [
        PATIENT,
        '{"name": "a", "active" : true,\n "title": "A", "steps": [{"name": "s", "days_from_due": 1,'
        ' "actions": ["task"], "task": {"title": "Look"}}]}',
    ],
)
def test_a_document_that_does_not_say_whether_it_is_active_is_switched_too(document: str) -> None:
    assert not parse(switched(document, active=False)).active


def test_the_default_strategy_is_not_switched_off() -> None:
    with pytest.raises(NotSwitched):
        switched(SHIPPED["default"], active=False)


def test_a_browsers_line_ends_make_no_new_version() -> None:
    assert clean(SHIPPED["small"].replace("\n", "\r\n")) == SHIPPED["small"]


# --- in the browser ---


async def typed(tab: Tab, change: tuple[str, str]) -> None:
    """Change what is in the editor as somebody would who types."""
    document = await tab.page.input_value("#document")
    assert change[0] in document
    await tab.page.fill("#document", document.replace(*change, 1))


@needs_chromium
async def test_a_fault_is_shown_at_its_line_while_typing_and_what_is_fixed_becomes_the_next_version(
    desk: Desk, tab: Tab
) -> None:
    await tab.go("/strategies")
    await tab.page.click("text=Small accounts")
    assert await tab.page.locator("svg.ladder .name").all_text_contents() == [
        step.name for step in parse(SHIPPED["small"]).steps
    ]
    line = next(n for n, text in enumerate(SHIPPED["small"].splitlines(), 1) if "days_from_due: 7" in text)
    await typed(tab, ("days_from_due: 7\n", "days_from_due: 700\n"))
    await tab.page.wait_for_selector(".remarks .fault")
    assert "but follows" in await tab.text("#remarks")
    assert await tab.page.is_disabled("button[data-publish]")
    marked = await tab.page.locator(".lines .bad").all_inner_texts()
    await tab.page.locator(".remarks .fault a").first.click()
    picked = await tab.page.evaluate(
        "(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.getElementById('document'))"
    )
    assert picked == SHIPPED["small"].splitlines()[int(marked[0]) - 1]
    assert int(marked[0]) > line  # The next step follows too early.

    assert "as it was before" in await tab.page.evaluate(
        "getComputedStyle(document.getElementById('picture'), '::after').content"
    )
    await typed(tab, ("days_from_due: 700\n", "days_from_due: 8\n"))
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    assert "day 8" in " ".join(await tab.page.locator("svg.ladder .faint").all_text_contents())
    await tab.press("Publish version 2")
    assert "Published" in await tab.text("[role=status]")
    assert (await desk.get("/v1/strategies/small"))["version"] == 2
    await tab.page.click("text=what changed")
    assert "days_from_due: 8" in await tab.text(".diff .added")
    assert "days_from_due: 7" in await tab.text(".diff .gone")


@needs_chromium
async def test_what_somebody_else_published_meanwhile_is_shown_and_nothing_typed_is_lost(desk: Desk, tab: Tab) -> None:
    await publish(desk, "patient", PATIENT.format(said="Ours"))
    await tab.go("/strategies/patient")
    await publish(desk, "patient", PATIENT.format(said="Theirs"), 1)
    await typed(tab, ("Ours", "Mine"))
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    await tab.press("Publish version 2")
    assert "Somebody else changed it" in await tab.text("[role=alert]")
    assert "Theirs" in await tab.text(".diff .added")
    assert "Mine" in await tab.page.input_value("#document")
    await tab.press("Publish version 3")
    assert "Mine" in (await desk.get("/v1/strategies/patient"))["document"]
    tab.complaints.clear()  # The browser notes the refusal's status.


@needs_chromium
async def test_without_script_a_button_checks_and_publishing_a_fault_is_refused(desk: Desk, tab: Tab) -> None:
    browser = tab.page.context.browser
    assert browser
    plain = await browser.new_context(
        java_script_enabled=False, storage_state=await tab.page.context.storage_state(), base_url=tab.url
    )
    page = await plain.new_page()
    await page.goto("/strategies/small")
    document = await page.input_value("#document")
    await page.fill("#document", document.replace("tone: friendly", "tone: shouting", 1))
    for button in ("Check", "Publish version 2"):
        await page.get_by_role("button", name=button, exact=True).click()
        assert "shouting" in await page.input_value("#document")
        assert "line" in await page.inner_text(".remarks .fault")
    assert "cannot be used" in await page.inner_text("[role=alert]")
    assert (await desk.get("/v1/strategies/small"))["version"] == 1


@needs_chromium
async def test_a_strategy_is_switched_on_and_off_and_begun_like_another(desk: Desk, tab: Tab) -> None:
    await tab.go("/strategies/small")
    await tab.press("Activate")
    assert (await desk.get("/v1/strategies/small"))["active"] is True
    await tab.press("Switch off")
    assert (await desk.get("/v1/strategies/small"))["version"] == 3
    await tab.go("/strategies")
    await tab.page.fill("input[name=name]", "tiny")
    await tab.page.select_option("select[name=like]", "small")
    await tab.press("Begin")
    assert "name: tiny" in await tab.page.input_value("#document")
    assert "active: false" in await tab.page.input_value("#document")
    await tab.press("Try it out as typed")
    await tab.press("Run")
    assert await tab.page.locator("svg.chart").count() == 1
    await tab.press("Back to the editor")
    await tab.press("Publish version 1")
    assert (await desk.get("/v1/strategies/tiny"))["version"] == 1


@needs_chromium
async def test_a_document_that_was_not_changed_makes_no_version_and_says_so(desk: Desk, tab: Tab) -> None:
    await tab.go("/strategies/small")
    await tab.press("Publish version 2")
    assert "There is no new version" in await tab.text("[role=alert]")
    assert (await desk.get("/v1/strategies/small"))["version"] == 1
    tab.complaints.clear()  # The browser notes the refusal's status.


@needs_chromium
async def test_running_cases_are_moved_after_a_preview(desk: Desk, tab: Tab) -> None:
    customer = await desk.onboard(name=EVIL)
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 3))
    document = SHIPPED["default"].replace("days_from_due: 7", "days_from_due: 8")
    await publish(desk, "default", document, 1)
    await tab.go("/strategies/default")
    await tab.press("Preview moving to 2")
    assert EVIL in await tab.text("tbody")
    assert "the step of the same name" in await tab.text("tbody")
    assert (await desk.get(f"/v1/cases/{customer.id}"))["strategy_version"] == 1
    await tab.press("Move 1 case")
    assert (await desk.get(f"/v1/cases/{customer.id}"))["strategy_version"] == 2
    assert "on earlier versions" not in await tab.text()


@pytest.mark.parametrize(
    ("most", "top", "lines"), [(0, 1, 2), (1, 1, 2), (5, 5, 6), (6, 6, 4), (11, 15, 4), (99, 100, 6), (4_321, 5_000, 6)]
)
def test_two_versions_are_drawn_on_one_scale_of_few_round_lines(most: int, top: int, lines: int) -> None:
    days = [date(2026, 3, day) for day in range(1, 31)]
    looks = {"ask": Look("friendly", 100), "insist": Look("firm", 100)}
    chart = draw_chart(
        days, {days[3]: {"insist": most // 2, "ask": most - most // 2}} if most else {}, looks, most, 560
    )
    assert (chart.grid[-1][1], len(chart.grid)) == (top, lines)
    assert min((bar.y for bar in chart.bars), default=10) >= 10
    assert [bar.look.tone for bar in chart.bars if bar.height] == ["friendly", "firm"][: min(most, 2)]


@needs_chromium
async def test_what_is_typed_is_tried_out_beside_the_published_version_and_nothing_happens(
    desk: Desk, tab: Tab
) -> None:
    for number in range(3):
        await desk.issue(await desk.onboard(name=f"Customer {number}"), DUE, number=f"R-{number}")
    await desk.until(date(2026, 2, 3))
    events = await desk.types()
    await tab.go("/strategies/default")
    await typed(tab, ("days_from_due: 7\n", "days_from_due: 10\n"))
    await tab.press("Try it out as typed")
    await tab.page.select_option("select[name=against]", "1")
    await tab.page.select_option("select[name=running]", "move")
    await tab.press("Run")
    charts = tab.page.locator("svg.chart")
    assert await charts.count() == 2
    said = [await charts.nth(at).get_attribute("aria-label") or "" for at in (0, 1)]
    assert said[0].startswith("The draft, version 2 if published: ")
    assert "contacts in 31 days, most of them on" in said[0]
    titles = [await charts.nth(at).locator("title").all_text_contents() for at in (0, 1)]
    assert "11 Feb 2026: second-reminder, 3" in titles[0]
    assert "8 Feb 2026: second-reminder, 3" in titles[1]
    assert "Cases that reach the agency's step" in await tab.text()
    assert (await desk.types()) == events
    assert (await desk.get("/v1/strategies/default"))["version"] == 1
    await tab.press("Back to the editor")
    assert "days_from_due: 10" in await tab.page.input_value("#document")


@needs_chromium
async def test_a_faulty_draft_is_not_tried_out(desk: Desk, tab: Tab) -> None:
    await tab.go("/strategies/default")
    await typed(tab, ("tone: friendly", "tone: shouting"))
    await tab.press("Try it out as typed")
    await tab.press("Run")
    assert "line" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.


@needs_chromium
async def test_a_reader_sees_strategies_but_no_forms_and_changes_nothing(
    desk: Desk, keys_folder: Path, chromium: Browser
) -> None:
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "rea", "reminders:read") as tab:
        for path in ("/strategies", "/strategies/default"):
            await tab.go(path)
            assert await tab.page.locator("main form").count() == 0, path
        assert "Standard collection" in await tab.text("pre")
        answer = await tab.page.request.post(
            f"{tab.url}/strategies/default", form={"version": "1", "document": "x"}, headers={"origin": tab.url}
        )
        assert answer.status == 403


@needs_chromium
@pytest.mark.parametrize("width", [375, 1280])
async def test_hostile_words_are_words_and_the_pages_fit(desk: Desk, tab: Tab, width: int) -> None:
    await publish(desk, "patient", PATIENT.format(said=EVIL * 5).replace("Old friends", f"'{EVIL}'"))
    await tab.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/strategies", "/strategies/patient", "/strategies/strategic", "/strategies/patient/simulation"):
        await tab.go(path)
        assert await tab.overflow() <= 0, path
    await tab.go("/strategies/patient")
    assert EVIL in await tab.page.input_value("#document")
    assert EVIL in await tab.text("h1")
    assert not re.search("alert", await tab.page.evaluate("[...document.scripts].map(s => s.text).join()"))
