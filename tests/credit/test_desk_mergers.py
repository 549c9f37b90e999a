"""Two customers that are one company, in a real browser: who they may be, what would happen, and the merger."""

from __future__ import annotations

from uuid import uuid4

from tests.browser import needs_chromium
from tests.credit.applications import money
from tests.credit.client import ACME
from tests.credit.desk import EVIL, Desk, ordered, owing, policy

pytestmark = needs_chromium


async def test_a_suspect_is_compared_and_merged_only_when_somebody_is_sure(desk: Desk) -> None:
    await policy(desk.credit, terms={"then": "ask"}, approvals=[{"above": money("0.00"), "approvers": 1}])
    old = await desk.credit.onboard(name="Acme", external_id="OLD-1")
    new = await desk.credit.onboard(name=EVIL, external_id="NEW-2", vat_id="DE136695976")
    await desk.credit.onboard(name="Other", address=None, contacts=[])
    await owing(desk.credit, old["id"], 70_000)
    await owing(desk.credit, new["id"], 50_000)
    await ordered(desk.credit, old["id"], "10.00", "PO-1")
    asked = {"net_days": 60, "reason": "They asked"}
    assert (await desk.credit.post(f"/v1/customers/{old['id']}/term-requests", asked)).status_code == 201
    tab = await desk.tab("ben", width=390)
    await tab.go(f"/customers/{old['id']}")
    await tab.page.click("text=Is it known twice?")
    await tab.page.wait_for_url("**/duplicates")
    assert f"{EVIL} NEW-2" in await tab.text("tbody")
    assert "same mail domain" in await tab.text("tbody")
    await tab.page.click("text=Look at both")
    await tab.page.wait_for_url("**/merger?other=*")
    assert "They have in common: mail domain" in await tab.text(".head")
    into_new = await tab.text(f"#into-{new['id']}")
    assert "OLD-1 is closed for good" in into_new
    assert "(€710.00) counts against the limit of NEW-2, €1,000.00: headroom is −€210.00 then" in into_new
    assert "no holds, 1 reserved order and no blocked orders go over" in into_new
    assert "ends, 1 change of terms asked for is refused." in into_new
    assert await tab.overflow() <= 0

    await tab.page.fill(f"#into-{new['id']} [name=reason]", "Same register number")
    await tab.press("Close OLD-1, go on as NEW-2")
    assert "Nothing was merged" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.
    assert await tab.page.input_value(f"#into-{new['id']} [name=reason]") == "Same register number"
    await tab.page.check(f"#into-{new['id']} [name=sure]")
    await tab.press("Close OLD-1, go on as NEW-2")
    assert "Merged: what was known of the other is known of this one now" in await tab.text("[role=status]")
    assert "€1,210.00" in await tab.text(".tiles")
    closed = await desk.credit.get(f"/v1/customers/{old['id']}")
    assert (closed["status"], closed["merged_into"]) == ("closed", new["id"])
    await tab.go(f"/customers/{new['id']}/merger?number=OLD-1")
    assert "Customer OLD-1 is closed" in await tab.text(f"#into-{old['id']}")
    assert await tab.page.locator("main form").count() == 0


async def test_why_two_cannot_be_merged_is_told_before_anybody_tries_and_readers_have_no_form(desk: Desk) -> None:
    top, mail = await desk.credit.onboard(external_id="TOP"), dict(ACME["contacts"][0])
    mid = await desk.credit.onboard(external_id="MID", parent_id=top["id"], contacts=[mail])
    low = await desk.credit.onboard(external_id="LOW", parent_id=mid["id"])
    path = f"/v1/customers/{top['id']}/group-limit"
    headers = {"if-none-match": "*"}
    limit = {"limit": money("1.00"), "reason": "x"}
    assert (await desk.credit.http.put(path, json=limit, headers=headers)).status_code == 200
    ben, reader = await desk.tab("ben"), await desk.tab("rea", "customers:read credit:read")
    await ben.go(f"/customers/{top['id']}/merger?number=LOW")
    assert "LOW belongs to TOP by way of another company" in await ben.text(f"#into-{low['id']}")
    assert await ben.page.locator("main form").count() == 1, "the other way round nothing stands against it"
    await ben.go(f"/customers/{top['id']}/merger?other={mid['id']}")
    assert "TOP heads a group with a limit of its own" in await ben.text(f"#into-{mid['id']}")
    await reader.go(f"/customers/{top['id']}/merger?other={mid['id']}")
    assert await reader.page.locator("main form").count() == 0
    form = {"attempt": str(uuid4()), "into_id": mid["id"], "reason": "x", "sure": True}
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    url = f"{desk.url}/customers/{top['id']}/merger"
    assert (await reader.page.request.post(url, form={**form}, headers=same)).status == 403

    refusal = await ben.page.goto(f"{desk.url}/customers/{top['id']}/merger?number=nobody")
    assert refusal is not None
    assert refusal.status == 404
    assert "Nobody has the number nobody" in await ben.text("[role=alert]")
    ben.complaints.clear()  # The browser notes the refusal's status.
