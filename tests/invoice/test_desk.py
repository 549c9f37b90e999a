"""The pages for finance staff, used in a real browser over real HTTP: every list, and the decisions on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

from tests.browser import needs_chromium
from tests.invoice.client import Receivables, eur, line
from tests.invoice.desk import EVIL, Desk, Served, a_busy_day, imported, policies

pytestmark = needs_chromium

PATHS = (
    *(
        "/",
        "/invoices",
        "/drafts",
        "/recurring",
        "/matching",
        "/matching?status=automatic",
        "/disputes",
        "/disputes?status=closed",
    ),
    *("/approvals", "/deliveries", "/imports", "/reconciliations"),
)


async def test_the_overview_counts_what_waits_and_leads_to_it(desk: Desk) -> None:
    await a_busy_day(desk.books)
    await desk.go("/")
    tiles = await desk.text(".tiles")
    assert "Drafts 1 1 older than allowed" in tiles
    assert "Not delivered 4 €1,753.50 · ¥98,000" in tiles
    assert "Payments to match 2 €477.00 1 without a proposal" in tiles
    assert "Open disputes 1 €19.00" in tiles
    assert "Approvals waiting 1 €60.00" in tiles
    assert "0 running 1 with refused rows in 7 days" in tiles
    for place in ("/drafts", "/deliveries", "/matching", "/disputes", "/approvals", "/imports"):
        assert await desk.page.locator(f".tiles a[href='{place}']").count() == 1
    await desk.books.at("2024-03-16")
    await desk.go("/")
    assert "Open disputes 1 €19.00 1 past their deadline" in await desk.text(".tiles")
    await desk.go("/disputes")
    assert "1 day late" in await desk.text("tbody")


async def test_invoices_are_found_by_status_number_and_customer(desk: Desk) -> None:
    await a_busy_day(desk.books)
    await desk.go("/invoices")
    assert await desk.page.locator("tbody tr").count() == 5
    await desk.page.fill("input[name=customer]", "boulang")
    await desk.page.select_option("select[name=status]", "owing")
    await desk.press("Show")
    assert "customer=boulang" in desk.page.url
    listed = await desk.text("tbody")
    assert "B-7" in listed
    assert "A-1" not in listed
    await desk.go("/invoices?status=overdue&number=a-1")
    assert "25 days late" in await desk.text("tbody tr:only-child")
    await desk.go("/invoices?number=%25&customer=_&status=none")
    assert "No invoice is like this." in await desk.text()


async def test_a_long_list_goes_on_on_the_next_page(desk: Desk) -> None:
    customer = await desk.books.customer()
    await imported(
        desk.books, *({"customer_id": customer, "number": f"N-{n:03}", "lines": [line("1.00")]} for n in range(60))
    )
    await desk.books.tick()
    await desk.go("/invoices?status=owing")
    assert await desk.page.locator("tbody tr").count() == 50
    await desk.page.click("text=Older")
    assert await desk.page.locator("tbody tr").count() == 10
    assert "status=owing" in desk.page.url


async def test_an_invoice_shows_what_made_its_balance_and_every_entry_behind_it(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    await desk.books.pay("30.00", customer_id=busy.customer, allocations=[{"invoice_number": "A-1"}])
    await desk.go(f"/invoices/{busy.invoice['id']}")
    assert EVIL in await desk.page.inner_text(".crumbs")
    assert await desk.page.locator(".others a").all_inner_texts() == ["Collecting", "Credit", "Figures"]
    balance = await desk.text("[aria-labelledby=h-balance]")
    assert "Paid −€30.00 Balance €89.00 of this disputed €19.00 may be collected now €70.00" in balance
    assert "Payment of 5 Mar 2024, bank transfer" in await desk.text("#moved")
    assert "1100 Trade receivables 4000 Revenue €119.00" in await desk.text("#journal")
    pdf = await desk.page.request.get(f"{desk.url}/v1/invoices/{busy.invoice['id']}/document.pdf")
    assert (pdf.status, pdf.headers["content-type"]) == (200, "application/pdf"), "the session opens it"


async def test_an_invoice_is_credited_once_and_a_refusal_is_said_on_its_page(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    path = f"/invoices/{busy.invoice['id']}"
    await desk.go(path)
    await desk.page.click("summary:has-text('Credit it, or a part')")
    await desk.page.fill("form[action$=credit-note] [name=reason]", "never ordered")
    form = await desk.page.eval_on_selector("form[action$=credit-note]", "f => Object.fromEntries(new FormData(f))")
    await desk.press("Issue the credit note")
    assert "The credit note is issued." in await desk.text("[role=status]")
    assert "Credit notes −€119.00 Balance €0.00" in await desk.text("[aria-labelledby=h-balance]")

    headers = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    again = await desk.page.request.post(f"{desk.url}{path}/credit-note", form=form, headers=headers, max_redirects=0)
    assert again.status == 303, "the same form again is the same credit note"
    other = {**form, "attempt": str(uuid4())}
    refused = await desk.page.request.post(f"{desk.url}{path}/credit-note", form=other, headers=headers)
    assert refused.status == 409
    assert 'role="alert"' in await refused.text()
    assert len((await desk.books.get("/v1/credit-notes"))["items"]) == 1


async def test_an_invoice_is_voided_or_written_off_from_its_page(desk: Desk) -> None:
    await policies(desk.books, write_offs={"approval_from": [eur("50.00")]})
    customer = await desk.books.customer()
    wrong, small, large = [await desk.books.issue(customer, amount) for amount in ("10.00", "49.99", "50.00")]
    await desk.go(f"/invoices/{wrong['id']}")
    await desk.page.click("summary:has-text('Void it')")
    await desk.page.fill("form[action$=void] [name=reason]", "issued twice")
    await desk.press("Void the invoice")
    assert "The invoice is void" in await desk.text("[role=status]")
    for issued, word in ((small, "The amount is written off."), (large, "A second person has to approve")):
        await desk.go(f"/invoices/{issued['id']}")
        await desk.page.click("summary:has-text('Write off')")
        await desk.page.select_option("[name=reason_code]", "settlement")
        await desk.press("Write off €", exact=False)
        assert word in await desk.text("[role=status]")
    left = [(await desk.books.invoice(each["id"]))["status"] for each in (wrong, small, large)]
    assert left == ["voided", "written_off", "open"]


async def test_what_keeps_an_invoice_from_being_electronic_is_named_and_no_link_leads_nowhere(desk: Desk) -> None:
    issued = await desk.books.issue(await desk.books.customer())
    await desk.go(f"/invoices/{issued['id']}")
    await desk.page.click("summary:has-text('Not an electronic invoice')")
    assert "the seller's address needs a country BR-9" in await desk.text("[aria-labelledby=h-facts]")
    assert await desk.page.locator("a[href*='document.xml']").count() == 0


async def test_a_draft_is_issued_from_its_page(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    await desk.go("/drafts")
    assert "4 days old" in await desk.text("tbody")
    await desk.page.click("tbody a")
    assert "PO 4711" in await desk.text(".chips")
    await desk.press("Issue the invoice")
    assert desk.page.url.endswith(f"/invoices/{busy.draft}?said=issued")
    assert "DW-000001" in await desk.text("h1")
    assert "Nothing is being written." in await (await desk.page.request.get(f"{desk.url}/drafts")).text()


async def test_a_draft_that_credit_declines_stays_with_the_reason(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    seen = await desk.books.http.get("/v1/entities/default")
    change = {"credit_policy": "enforce"}
    await desk.books.http.patch("/v1/entities/default", json=change, headers={"if-match": seen.headers["etag"]})
    desk.books.credit.outcome = "declined"
    await desk.go(f"/drafts/{busy.draft}")
    await desk.press("Issue the invoice")
    assert "credit declined it: limit_exceeded" in await desk.text("[role=alert]")
    desk.complaints.clear()  # The browser notes on its console that the answer was a 422.
    await desk.press("Throw away")
    assert "The draft is gone." in await desk.text("[role=status]")


async def test_the_queue_is_matched_with_a_key_press_and_what_is_not_ours_is_put_aside(desk: Desk) -> None:
    await a_busy_day(desk.books)
    await desk.go("/matching")
    assert await desk.page.locator("article").count() == 2
    assert "Boulangerie du Lac: " in await desk.text("article:first-of-type")
    assert "neither a reference nor the payer is known" in await desk.text("article:last-of-type")
    await desk.press("Look anew")
    assert "The entry was looked at anew." in await desk.text("[role=status]")
    await desk.press("Confirm Boulangerie du Lac", exact=False)
    assert "The payment is booked" in await desk.text("[role=status]")
    [article] = await desk.page.locator("article").all()
    await article.locator("summary:has-text('Apply it otherwise')").click()
    await article.locator("[name=customer]").fill("C-1")
    await article.locator("[name=numbers]").fill("NO-1")
    await desk.press("Apply")
    assert "NO-1" in await desk.text("[role=alert]")
    desk.complaints.clear()  # The browser notes the 422.
    await desk.page.locator("summary:has-text('Not ours')").click()
    await desk.page.locator("form[action$=rejection] [name=reason]").fill("rent")
    await desk.press("Mark as not ours")
    assert "The queue is empty" in await desk.text()
    assert (await desk.books.get("/v1/cash-application", status="confirmed"))["items"][0]["decided_by"] == "ben"
    await desk.page.click(".tabs a:has-text('Not ours')")
    assert "rent Not ours by ben, 5 Mar 2024" in await desk.text("article")


async def test_cash_goes_where_a_person_says(desk: Desk) -> None:
    await a_busy_day(desk.books)
    await desk.go("/matching")
    article = desk.page.locator("article").last
    await article.locator("summary:has-text('Apply it otherwise')").click()
    await article.locator("[name=customer]").fill("C-1")
    await article.locator("[name=numbers]").fill("A-1")
    async with desk.page.expect_navigation():
        await desk.page.keyboard.press("Enter")
    assert "The payment is booked" in await desk.text("[role=status]")
    await desk.go("/invoices?number=A-1")
    assert "€42.00" in await desk.text("tbody")

    await desk.go("/matching?status=confirmed")
    await desk.page.click("summary:has-text('Undo')")
    await desk.page.fill("form[action$=reopening] [name=reason]", "it was the rent")
    await desk.press("Back into the queue")
    assert "reopened by ben: it was the rent" in await desk.text("article:last-of-type")
    await desk.go("/invoices?number=A-1")
    assert "€119.00 €119.00" in await desk.text("tbody")


async def test_a_dispute_is_talked_about_and_rejected(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    await desk.go("/disputes")
    await desk.page.click("tbody a:has-text('damaged in transit')")
    await desk.page.fill("textarea", "The photos show nothing.\n<b>Bold</b>")
    await desk.press("Write")
    assert "<b>Bold</b>" in await desk.text(".thread")
    await desk.page.check("input[value=rejected]")
    await desk.page.fill("[name=note]", "no damage seen")
    await desk.press("Resolve")
    assert "The dispute is resolved." in await desk.text("[role=status]")
    assert (await desk.books.get(f"/v1/disputes/{busy.dispute}"))["status"] == "rejected"
    await desk.go("/disputes?status=closed")
    assert "Rejected" in await desk.text("tbody")


async def test_an_accepted_dispute_is_credited(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    await desk.go(f"/disputes/{busy.dispute}")
    await desk.page.check("input[value=accepted]")
    await desk.press("Resolve")
    assert "Accepted €19.00, credit note" in await desk.text("[aria-labelledby=h-about]")
    await desk.go(f"/invoices/{busy.invoice['id']}")
    assert "Credit notes −€19.00 Balance €100.00" in await desk.text("[aria-labelledby=h-balance]")


async def test_who_asked_does_not_approve_but_somebody_else_does(
    desk: Desk, sign_in: Callable[..., Awaitable[Desk]]
) -> None:
    busy = await a_busy_day(desk.books)
    anna = await sign_in("anna")
    await anna.go("/approvals")
    assert "You asked for it; somebody else has to approve." in await anna.text("article")
    assert await anna.page.get_by_role("button", name="Approve").count() == 0
    cloe = await sign_in("cloe", "invoices:read invoices:write")
    await cloe.go("/approvals")
    assert await cloe.page.locator("article button").all_inner_texts() == ["Reject"], "approving is a scope of its own"
    await desk.go("/approvals")
    await desk.page.fill("[name=note]", "agreed")
    await desk.press("Approve")
    assert "Approved: what was asked for has happened." in await desk.text("[role=status]")
    assert "Approved by ben" in await desk.text("[aria-labelledby=h-decided]")
    assert (await desk.books.invoice(busy.invoice["id"]))["balance"] == eur("59.00")


async def test_an_import_shows_its_progress_and_the_line_and_reason_of_each_refused_row(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    waiting = await imported(desk.books, {"customer_id": busy.other, "number": "I-9", "lines": [line("1.00")]})
    await desk.go("/imports")
    assert await desk.page.locator("meta[http-equiv=refresh]").count() == 1
    assert "0 of 1 rows Running" in await desk.text("tbody tr:first-child")
    await desk.books.tick()
    await desk.go(f"/imports/{waiting}")
    assert await desk.page.locator("meta[http-equiv=refresh]").count() == 0
    await desk.go(f"/imports/{busy.import_id}")
    assert "3 of 3 rows" in await desk.text("#h-progress")
    refused = await desk.page.locator("[aria-labelledby=h-refused] tbody tr").all_inner_texts()
    assert [row.split()[0] for row in refused] == ["2", "3"]
    assert "customer" in refused[1]


async def test_the_books_are_compared_on_demand(desk: Desk) -> None:
    await a_busy_day(desk.books)
    await desk.go("/reconciliations")
    await desk.press("Compare now")
    assert "The books were compared just now." in await desk.text("[role=status]")
    assert "The books agree" in await desk.text("h1")
    assert "reporting did not answer" in await desk.text(".chips")


async def test_an_invoice_that_never_left_is_sent(desk: Desk) -> None:
    await a_busy_day(desk.books)
    await desk.go("/deliveries")
    assert "never asked for" in await desk.text("tbody tr:first-child")
    await desk.press("Send A-1")
    assert "The invoice is on its way again." in await desk.text("[role=status]")
    assert "ap@acme.example" in await desk.text("[aria-labelledby=h-sent]")


async def test_a_delivery_that_failed_is_brought_up_with_its_reason(desk: Desk) -> None:
    await policies(desk.books, delivery={"automatic": True})
    customer = await desk.books.customer(contacts=[])
    await desk.books.issue(customer, number="F-1")
    await desk.go("/")
    assert "Not delivered 1 €100.00 1 failed or bounced" in await desk.text(".tiles")
    await desk.go("/deliveries")
    assert "Failed the customer has no e-mail address" in await desk.text("tbody")
    await desk.press("Send F-1")
    assert "no e-mail address; name a recipient" in await desk.text("[role=alert]")
    desk.complaints.clear()  # The browser notes the 422.
    await desk.go("/deliveries")
    await desk.page.fill("input[name=recipient]", "ap@corrected.example")
    await desk.press("Send F-1")
    assert "ap@corrected.example" in await desk.text("[aria-labelledby=h-sent]")
    await desk.go("/deliveries")
    assert "Everything has arrived" in await desk.text()


async def test_no_page_is_wider_than_its_window(desk: Desk) -> None:
    empty = (*PATHS, f"/reconciliations/{await a_comparison(desk.books)}")
    await desk.page.set_viewport_size({"width": 390, "height": 844})
    for path in empty:
        await desk.go(path)
        assert await desk.overflow() == 0, path
    busy = await a_busy_day(desk.books)
    shown = (f"/invoices/{busy.invoice['id']}", f"/drafts/{busy.draft}", f"/disputes/{busy.dispute}")
    for path in (*PATHS, *shown, f"/imports/{busy.import_id}"):
        await desk.go(path)
        for width in (360, 390, 768, 1280):
            await desk.page.set_viewport_size({"width": width, "height": 844})
            assert await desk.overflow() == 0, (path, width)


async def a_comparison(books: Receivables) -> str:
    answer = await books.post("/v1/reconciliations", {})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_who_may_only_read_sees_no_buttons_and_who_may_not_see_payments_no_queue(
    served: Served, sign_in: Callable[..., Awaitable[Desk]]
) -> None:
    busy = await a_busy_day(served.books)
    reader = await sign_in("rita", "invoices:read")
    await reader.go("/")
    assert await reader.page.locator("a[href='/matching']").count() == 0
    for path in (f"/invoices/{busy.invoice['id']}", f"/drafts/{busy.draft}", "/approvals", f"/disputes/{busy.dispute}"):
        await reader.go(path)
        assert await reader.page.locator("main button").count() == 0, path
    answer = await reader.page.goto(f"{reader.url}/matching")
    assert answer is not None
    assert answer.status == 403


async def test_a_form_from_elsewhere_and_a_stranger_change_nothing(desk: Desk, served: Served) -> None:
    busy = await a_busy_day(desk.books)
    address = f"{desk.url}/drafts/{busy.draft}/issue"
    form: dict[str, Any] = {"attempt": str(uuid4())}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}, {"origin": "null"}):
        answer = await desk.page.request.post(address, form=form, headers=headers)
        assert answer.status == 403, headers
    async with httpx.AsyncClient(base_url=served.url, timeout=30) as stranger:
        assert (await stranger.post(f"/drafts/{busy.draft}/issue", data=form)).status_code == 401
        for path in PATHS:
            answer = await stranger.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), path
    assert len((await desk.books.get("/v1/invoices", status="draft"))["items"]) == 1
