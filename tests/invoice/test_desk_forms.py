"""What finance staff write into forms: credits in part, disputes, drafts, files, held periods, cash by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser import needs_chromium
from tests.invoice.bank_files import BAKER_IBAN, detail, entry
from tests.invoice.client import eur, invoice, line
from tests.invoice.desk import Desk, a_busy_day, policies, statement

pytestmark = needs_chromium

S19 = {"category": "S", "rate": "19"}


async def unfold(desk: Desk, words: str) -> None:
    await desk.page.locator("summary", has_text=words).first.click()


async def three_lines(desk: Desk) -> dict[str, Any]:
    customer = await desk.books.customer(external_id="C-1", name="Acme")
    lines = [line("100.00", quantity=n, tax=S19, description=f"Chair {n}") for n in ("1", "2", "3")]
    answer = await desk.books.post("/v1/invoices", invoice(customer, lines=lines, number="A-1"))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_part_is_credited_by_line_and_another_by_amount(desk: Desk) -> None:
    issued = await three_lines(desk)
    await desk.go(f"/invoices/{issued['id']}")
    await unfold(desk, "Credit it, or a part")
    await desk.page.check("form[action$=credit-note] [name=line-1]")
    await desk.page.fill("[name=quantity-3]", "0.5")
    await desk.page.fill("form[action$=credit-note] [name=reason]", "sent back")
    await desk.press("Issue the credit note")
    assert "Credit notes −€178.50 Balance €535.50" in await desk.text("[aria-labelledby=h-balance]")

    await unfold(desk, "Credit it, or a part")
    await desk.page.fill("form[action$=credit-note] [name=amount]", "11.90")
    await desk.page.fill("form[action$=credit-note] [name=reason]", "goodwill")
    await desk.press("Issue the credit note")
    assert "Credit notes −€190.40 Balance €523.60" in await desk.text("[aria-labelledby=h-balance]")

    for name, written, said in (
        ("amount", "11,90", "Amount:"),
        ("quantity-3", "a few", "'a few' of line 3 is not a number"),
        ("amount", "999.00", "523.60"),
    ):
        await desk.go(f"/invoices/{issued['id']}")
        await unfold(desk, "Credit it, or a part")
        await desk.page.fill(f"form[action$=credit-note] [name={name}]", written)
        await desk.page.fill("form[action$=credit-note] [name=reason]", "x")
        await desk.press("Issue the credit note")
        assert said in await desk.text("[role=alert]")
    desk.complaints.clear()  # The browser notes each 422.


async def test_a_dispute_is_recorded_over_a_line_and_assigned(desk: Desk) -> None:
    issued = await three_lines(desk)
    await desk.go(f"/invoices/{issued['id']}")
    await unfold(desk, "Record a dispute")
    await desk.page.fill("[name=reason] >> visible=true", "The second chair wobbles")
    await desk.page.select_option("[name=code]", "damaged")
    await desk.page.check("form[action$=disputes] [name=line-2]")
    await desk.press("Record the dispute")
    assert "of this disputed €238.00" in await desk.text("[aria-labelledby=h-balance]")

    await desk.page.click("text=The second chair wobbles")
    assert "owner Ben L." in await desk.text(".chips")
    await desk.page.fill("[name=owner]", "ada")
    await desk.page.fill("[name=answer_by]", "2024-03-20")
    await desk.page.select_option("[name=code]", "wrong_quantity")
    await desk.press("Assign")
    chips = await desk.text(".chips")
    assert ("owner ada" in chips, "answer by 20 Mar 2024" in chips, "Wrong quantity" in chips) == (True, True, True)
    await desk.page.fill("[name=answer_by]", "")
    await desk.page.fill("[name=owner]", "  ")
    await desk.press("Assign")
    assert "write something under “Owner” first" in await desk.text("[role=alert]")
    desk.complaints.clear()


async def a_draft(desk: Desk) -> str:
    await policies(desk.books, completeness="block")
    customer = await desk.books.customer(external_id="C-1", name="Acme")
    asked = invoice(customer, lines=[line("10.00", tax=S19, note="kept as it is")], draft=True)
    return (await desk.books.post("/v1/invoices", asked)).json()["id"]


async def test_a_drafts_fields_are_changed_with_what_it_lacks_said_beside_them(desk: Desk) -> None:
    draft = await a_draft(desk)
    await desk.go(f"/drafts/{draft}")
    assert "What it lacks besides" in await desk.text()
    await desk.page.fill("[name=reference]", "PO 7")
    await desk.page.fill("[name=supplied_on]", "2024-02-28")
    await desk.page.fill("[name=lines-0-quantity]", "2.5")
    await desk.page.fill("[name=lines-1-description]", "Delivery")
    await desk.page.fill("[name=lines-1-unit_price]", "5.00")
    await desk.page.fill("[name=lines-1-tax_category]", "S")
    await desk.page.fill("[name=lines-1-tax_rate]", "19")
    await desk.press("Keep the changes")
    assert "The draft is changed." in await desk.text("[role=status]")
    assert "Total €35.70" in await desk.text("[aria-labelledby=h-lines]")
    kept = (await desk.books.get(f"/v1/invoices/{draft}"))["invoice"]
    assert (kept["reference"], kept["supplied_on"], kept["lines"][0]["note"]) == ("PO 7", "2024-02-28", "kept as it is")

    await desk.page.fill("[name=lines-1-description]", "")
    await desk.page.fill("[name=lines-1-unit_price]", "")
    await desk.press("Keep the changes")
    assert "Total €29.75" in await desk.text("[aria-labelledby=h-lines]")


async def test_what_cannot_be_kept_is_said_at_its_field_and_what_was_written_stays(desk: Desk) -> None:
    draft = await a_draft(desk)
    await desk.go(f"/drafts/{draft}")
    await desk.page.fill("[name=reference]", "kept on the page")
    await desk.page.fill("[name=lines-0-unit_price]", "ten")
    await desk.page.fill("[name=lines-0-tax_rate]", "190")
    await desk.press("Keep the changes")
    for name in ("lines-0-unit_price", "lines-0-tax_rate"):
        field = desk.page.locator(f"[name={name}]")
        assert await field.get_attribute("aria-invalid") == "true"
        assert await desk.page.locator(f"#{await field.get_attribute('aria-describedby')}").is_visible()
    assert await desk.page.input_value("[name=reference]") == "kept on the page"
    assert await desk.page.input_value("[name=lines-0-unit_price]") == "ten"
    assert "reference" not in (await desk.books.get(f"/v1/invoices/{draft}"))["invoice"]
    desk.complaints.clear()


async def test_a_draft_changed_by_somebody_else_meanwhile_is_not_overwritten(desk: Desk) -> None:
    draft = await a_draft(desk)
    await desk.go(f"/drafts/{draft}")
    headers = {"if-match": '"1"'}
    await desk.books.http.patch(f"/v1/invoices/{draft}", json={"reference": "theirs"}, headers=headers)
    await desk.page.fill("[name=reference]", "mine")
    await desk.press("Keep the changes")
    assert "version" in await desk.text("[role=alert]")
    assert (await desk.books.get(f"/v1/invoices/{draft}"))["invoice"]["reference"] == "theirs"
    desk.complaints.clear()


async def test_a_file_is_uploaded_with_a_profile_and_followed_to_its_end(desk: Desk, tmp_path: Path) -> None:
    await desk.books.customer(external_id="K-1")
    profile = {
        "kind": "invoices",
        "decimal_mark": ",",
        "columns": [
            {"column": "Kunde", "field": "customer_external_id"},
            {"column": "Rechnung", "field": "number"},
            {"column": "Betrag", "field": "unit_price"},
        ],
        "constants": {"currency": "EUR"},
    }
    saved = await desk.books.http.put("/v1/import-profiles/datev", json=profile, headers={"if-none-match": "*"})
    assert saved.status_code == 201, saved.text
    file = tmp_path / "März.csv"
    file.write_text("Kunde;Rechnung;Betrag\nK-1;R-1;10,00\nK-1;R-1;2,50\nK-1;R-2;x\n")

    await desk.go("/imports")
    await desk.page.set_input_files("[name=file]", file)
    await desk.page.select_option("[name=profile]", "datev")
    await desk.press("Import")
    assert "0 of 3 rows" in await desk.text("#h-progress")
    assert await desk.page.locator("meta[http-equiv=refresh]").count() == 1
    await desk.books.tick()
    await desk.page.reload()
    assert "3 of 3 rows" in await desk.text("#h-progress")
    assert await desk.page.locator("[aria-labelledby=h-refused] tbody tr").count() == 1
    [issued] = (await desk.books.get("/v1/invoices"))["items"]
    assert (issued["number"], issued["total"]) == ("R-1", eur("12.50"))

    for name, content, said in (
        ("a.pdf", "%PDF", "a file that ends on"),
        ("b.csv", "Kunde;Betrag\nK-1;1\n", "Rechnung"),
    ):
        (tmp_path / name).write_text(content)
        await desk.go("/imports")
        await desk.page.set_input_files("[name=file]", tmp_path / name)
        await desk.page.select_option("[name=profile]", "datev")
        await desk.press("Import")
        assert said in await desk.text("[role=alert]")
    assert len((await desk.books.get("/v1/imports"))["items"]) == 1
    desk.complaints.clear()


async def test_a_held_period_is_shown_and_released_and_another_left_out(desk: Desk) -> None:
    books = desk.books
    customer = await books.customer(external_id="C-1", name="Acme")
    for reference in ("Rent", "Lift"):
        agreed = {
            "customer_id": customer,
            "rrule": "FREQ=MONTHLY;BYMONTHDAY=10",
            "starts_on": "2024-03-10",
            "lines": [line("100.00")],
            "reference": reference,
        }
        answer = await books.post("/v1/recurring-invoices", agreed)
        assert answer.status_code == 201, answer.text
    await books.customer(id=customer, external_id="C-1", name="Acme", version=2, status="closed")
    await books.wake_on("2024-03-11")
    await desk.go("/recurring")
    cards = await desk.page.locator("article").all_inner_texts()
    assert len(cards) == 2
    assert "10 Mar 2024 to 9 Apr 2024" in cards[0]

    await desk.press("Invoice it now")
    assert await desk.page.locator("[role=alert]").count() == 1, "the customer is closed still"
    await books.customer(id=customer, external_id="C-1", name="Acme", version=3)
    await desk.go("/recurring")
    await desk.press("Invoice it now")
    assert "The period is invoiced." in await desk.text("[role=status]")
    await unfold(desk, "Never invoice it")
    await desk.page.fill("[name=reason]", "it stood still")
    await desk.press("Leave it out")
    assert "Every period that was due is invoiced." in await desk.text()
    assert len((await books.get("/v1/invoices"))["items"]) == 1
    desk.complaints.clear()


async def test_cash_is_applied_by_hand_to_several_invoices_and_the_rest_stays_on_account(desk: Desk) -> None:
    books = desk.books
    customer = await books.customer(external_id="C-1", name="Acme")
    issued = {name: await books.issue(customer, "100.00", number=name) for name in ("A-1", "A-2", "A-3")}
    await statement(books, entry("170.00", detail(text="thank you", name="Somebody", iban=BAKER_IBAN)))
    await books.tick()
    await desk.go("/matching")
    await unfold(desk, "Apply it otherwise")
    await desk.page.fill("[name=customer]", "C-1")
    await desk.press("Choose among what is open")
    assert "Acme owes" in await desk.text("#h-open")

    async def write(**amounts: str) -> None:
        for name, amount in amounts.items():
            await desk.page.get_by_label(f"Paid of {name.replace('_', '-')}").fill(amount)

    await write(A_1="100.00", A_3="80.00")
    await desk.press("Apply €170.00")
    assert await desk.page.locator("[role=alert]").count() == 1, "more than came in"
    assert await desk.page.get_by_label("Paid of A-3").input_value() == "80.00"
    await write(A_3="30.00")
    await desk.press("Apply €170.00")

    assert "The payment is booked where you said." in await desk.text("[role=status]")
    left = {name: (await books.invoice(each["id"]))["balance"] for name, each in issued.items()}
    assert left == {"A-1": eur("0.00"), "A-2": eur("100.00"), "A-3": eur("70.00")}
    [payment] = (await books.get("/v1/payments"))["items"]
    assert payment["unapplied"] == eur("40.00")
    desk.complaints.clear()


async def test_the_new_pages_fit_a_phone(desk: Desk) -> None:
    busy = await a_busy_day(desk.books)
    [open_entry, *_] = (await desk.books.get("/v1/cash-application", status="open"))["items"]
    await desk.page.set_viewport_size({"width": 360, "height": 740})
    for path in (f"/drafts/{busy.draft}", "/imports", "/recurring", f"/matching/{open_entry['id']}?customer=C-1"):
        await desk.go(path)
        assert await desk.overflow() <= 0, path


async def test_who_may_only_read_sees_no_forms(desk: Desk, sign_in: Any) -> None:
    busy = await a_busy_day(desk.books)
    reader = await sign_in("rita", "invoices:read payments:read")
    for path in ("/imports", f"/drafts/{busy.draft}", "/recurring", f"/disputes/{busy.dispute}"):
        await reader.go(path)
        assert await reader.page.locator("main form[method=post]").count() == 0, path
