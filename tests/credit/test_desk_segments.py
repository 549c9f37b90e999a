"""Rules for segments on a page in a real browser: faults by line, who would go where, on and off, who changed what."""

from __future__ import annotations

import asyncio

import pytest

from services.credit.desk_segments.rules import first_document
from services.credit.segmentations import rules
from services.credit.segmentations.rules import InvalidSegmentation
from tests.browser import Tab, needs_chromium
from tests.credit.desk import EVIL, TODAY, Desk, owing
from tests.credit.test_segments import DOCUMENT

EDITOR = ".editor textarea"
WAITING = """
select waitstart from pg_locks
where not granted and database = (select oid from pg_database where datname = current_database())
"""


def changed(old: str, new: str) -> tuple[str, ...]:
    assert old in DOCUMENT
    return rules.changes(rules.parse(DOCUMENT), rules.parse(DOCUMENT.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("title:", "# why\ntitle:", ()),
        ("owner: Ada", "owner: Bo", ("Who answers for it: Bo instead of Ada.",)),
        ("currency: EUR", "currency: EUR\nactive: false", ("It is not gone by any more.",)),
        (
            "from: 10000",
            "from: 500, below: 700.5",
            ("Rule 2 is “key: sales from 500, below 700.5” instead of “key: sales from 10000”.",),
        ),
        ("segment: small", "segment: x", ("Rule 3 is “x: everybody else” instead of “small: everybody else”.",)),
        (
            "  - segment: small",
            "  - {segment: risky, when: [{fact: risk_class, any_of: [D, E]}]}\n  - segment: small",
            ("New: rule 3, “risky: risk class D or E”.",),
        ),
        (
            "  - segment: key\n    when: [{fact: sales, from: 10000}]\n",
            "",
            ("No longer there: “key: sales from 10000”.",),
        ),
    ],
)  # fmt: skip
def test_what_a_version_changed_is_told_rule_by_rule(old: str, new: str, says: tuple[str, ...]) -> None:
    assert changed(old, new) == says


@pytest.mark.parametrize("line", ["", "active: true\n", "active: false  # until May\n"])
def test_a_document_is_switched_on_and_off_and_keeps_its_comments(line: str) -> None:
    document = DOCUMENT.replace("rules:", f"{line}rules:  # in their order", 1)
    for active in (False, True):
        switched = rules.switched(document, active)
        assert rules.parse(switched).active is active
        assert "# in their order" in switched
        assert ("# until May" in switched) == ("# until May" in line)


def test_a_document_of_one_line_says_itself_whether_it_is_gone_by() -> None:
    one_line = rules.parse(DOCUMENT).model_dump_json()
    with pytest.raises(InvalidSegmentation):
        rules.switched(one_line, False)


def test_what_stands_in_the_editor_at_first_can_be_published_and_moves_nobody() -> None:
    first = rules.parse(first_document('Conan O\'Brien "C"', TODAY, "JPY"))
    assert (first.owner, first.currency, first.active) == ('Conan O\'Brien "C"', "JPY", False)


async def typed(tab: Tab, old: str, new: str) -> None:
    """Change the document as it is typed, and wait for what the check says of it."""
    text = await tab.page.input_value(EDITOR)
    assert old in text
    async with tab.page.expect_response("**/check?part=outcome"):
        await tab.page.fill(EDITOR, text.replace(old, new, 1))


@needs_chromium
async def test_rules_are_tried_on_the_book_published_gone_by_and_switched_off(desk: Desk) -> None:
    large, small = [(await desk.credit.onboard(name=name, segment="key"))["id"] for name in ("Large Ltd", EVIL)]
    await owing(desk.credit, large, 30_000_000)
    tab = await desk.tab("ben")
    await tab.go("/segmentation")
    assert "none published" in await tab.text(".chips")
    await typed(tab, "fact: sales", "fact: turnover")
    await tab.page.wait_for_selector("#remarks .fault")
    assert "line 12 rules.1.when.0.fact: nothing is known by the name 'turnover'" in await tab.text("#remarks")
    assert await tab.page.locator("button[data-publish]").is_disabled()
    await typed(tab, "fact: turnover", "fact: sales")
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    assert "Of 2 customers, 1 would go to another segment if it were gone by." in await tab.text("#preview")
    await tab.page.click("#preview summary")
    assert f"{EVIL}: key to standard, by rule 3" in await tab.text("#preview")
    await tab.press("Publish version 1")
    assert "not gone by" in await tab.text(".chips")
    await desk.credit.tick()
    assert (await desk.credit.get(f"/v1/customers/{small}/segment"))["segment"] == "key"

    await tab.press("Go by version 1")
    assert "version 2 gone by" in await tab.text(".chips")
    assert "Version 2, 10 Mar 2026 by ben It is gone by from now on." in await tab.text("[aria-labelledby=h-versions]")
    await desk.credit.tick()
    assert (await desk.credit.get(f"/v1/customers/{small}/segment"))["segment"] == "standard"
    versions = (await desk.credit.get("/v1/segmentation/versions", limit=1))["items"]
    assert [(each["version"], each["active"], each["changes"]) for each in versions] == [
        (2, True, ["It is gone by from now on."])
    ]
    await tab.press("Publish version 3")
    assert "There is nothing to publish" in await tab.text("[role=alert]")
    await tab.press("Switch it off")
    assert "not gone by" in await tab.text(".chips")
    tab.complaints.clear()  # The browser notes the refusal's status.


@needs_chromium
async def test_who_types_on_has_the_book_tried_once_more_and_not_twice_at_once(desk: Desk) -> None:
    customer = (await desk.credit.onboard(segment="key"))["id"]
    await owing(desk.credit, customer, 100)
    tab = await desk.tab("ben")
    await tab.go("/segmentation")
    text = await tab.page.input_value(EDITOR)

    async def waiting(besides: object = None) -> object:
        """The one trial that waits for the book, other than an earlier one."""
        while True:
            found = [row["waitstart"] for row in await desk.credit.database.pool.fetch(WAITING)]
            if len(found) == 1 and found[0] not in (None, besides):
                return found[0]
            await asyncio.sleep(0.02)

    async with asyncio.timeout(60):
        async with desk.credit.database.pool.acquire() as connection, connection.transaction():
            await connection.execute("lock table customer")
            await tab.page.fill(EDITOR, text.replace("title:", "# One\ntitle:"))
            first = await waiting()
            async with tab.page.expect_event("requestfailed", lambda request: "/check?" in request.url):
                await tab.page.fill(EDITOR, text.replace("title:", "# Two\ntitle:"))
            await waiting(besides=first)
        await tab.page.wait_for_selector("#remarks[data-faults='0']")


@needs_chromium
async def test_readers_read_rules_on_a_phone_and_two_who_edit_at_once_do_not_overwrite_each_other(desk: Desk) -> None:
    reader = await desk.tab("rea", "customers:read credit:read", width=390)
    await reader.go("/segmentation")
    assert "Nobody published rules yet" in await reader.text()
    anna, ben = await desk.tab("anna"), await desk.tab("ben")
    for tab in (anna, ben):
        await tab.go("/segmentation")
    await anna.press("Publish version 1")
    await ben.press("Publish version 1")
    assert "The rules are at version 1, you changed 0" in await ben.text("[role=alert]")
    ben.complaints.clear()  # The browser notes the refusal's status.
    await reader.go("/segmentation")
    assert await reader.page.locator("main form").count() == 0
    assert await reader.overflow() <= 0
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    for path in ("/segmentation", "/segmentation/check", "/segmentation/switch"):
        answer = await reader.page.request.post(desk.url + path, form={"version": 1, "active": True}, headers=same)
        assert answer.status == 403
