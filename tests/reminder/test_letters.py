"""Reminders on paper: what a letter shows, batches that are printed as often as needed and posted once."""

from __future__ import annotations

import csv
from datetime import date
from io import BytesIO, StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader, PdfWriter

from services.reminder.enclosures.rules import INVOICES_MAX, wanted
from services.reminder.letters.handlers import print_letter
from services.reminder.letters.rules import Window, address_lines, csv_of, sheet_of
from services.reminder.mails.handlers import words_of
from services.reminder.mails.rules import Letter
from services.reminder.receivables.rules import BalanceItem
from services.reminder.wordings.rules import LANGUAGES
from shared.events.credit import PostalAddress
from shared.money import Money
from tests.reminder.books import Customer
from tests.reminder.desk import Desk
from tests.service_client import post, problem

HAMBURG = PostalAddress(lines=("Hafenstraße 12",), city="Hamburg", postal_code="20457")
ITEM = BalanceItem("R-1", date(2026, 1, 2), date(2026, 2, 1), 12, Money(125_050, "EUR"), UUID(int=5))


def letter(**changes: Any) -> Letter:
    given: dict[str, Any] = {
        "contact_id": uuid4(),
        "customer_id": UUID(int=1),
        "recipient": "",
        "person": "Ada Lang",
        "customer": "Acme GmbH",
        "language": "de",
        "country": "DE",
        "template": "final-notice",
        "tone": "formal",
        "seller": "Northwind Trading",
        "items": (ITEM,),
        "due_on": None,
        "pay_link": "https://pay.example/pay/abc",
        "written_on": date(2026, 2, 13),
        "channel": "letter",
        "address": HAMBURG,
        "seller_address": ("Lindenallee 5", "10117 Berlin"),
        "seller_country": "DE",
    }
    return Letter(**{**given, **changes})


def text_of(printed: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(printed)).pages)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("window", ["left", "right"])
def test_a_letter_says_the_same_as_the_mail_and_has_its_address_in_the_window(language: str, window: Window) -> None:
    written = letter(language=language)
    pdf = print_letter(sheet_of(written, words_of(written), 1, window))
    (page,) = PdfReader(BytesIO(pdf)).pages
    places: dict[str, tuple[float, float]] = {}

    def visit(text: str, page: list[float], line: list[float], *_: Any) -> None:
        if text.strip():
            x, y = line[4], line[5]
            place = (x * page[0] + y * page[2] + page[4], x * page[1] + y * page[3] + page[5])
            places.setdefault(text.strip(), place)

    text = page.extract_text(visitor_text=visit)
    for part in ("Acme GmbH", "Hafenstraße 12", "20457 Hamburg", "R-1", "https://pay.example/pay/abc"):
        assert part in text
    assert words_of(written).subject[:12] in text
    left, bottom = next(place for said, place in places.items() if said.startswith("Acme GmbH"))
    from_left_mm, from_top_mm = left / 72 * 25.4, 297 - bottom / 72 * 25.4
    # DIN 5008 form B: the window shows 20 to 105 mm from the left; on the right it begins at 100 mm or later.
    assert (20 <= from_left_mm < 105) if window == "left" else (100 <= from_left_mm < 200)
    assert 62 <= from_top_mm <= 90


def test_a_letter_abroad_names_the_country_and_one_at_home_does_not() -> None:
    def address(**changes: Any) -> tuple[str, ...]:
        written = letter(**changes)
        return sheet_of(written, words_of(written), 1, "left").address

    assert address() == ("Acme GmbH", "Ada Lang", "Hafenstraße 12", "20457 Hamburg")
    assert address(seller_country="AT")[-1] == "DEUTSCHLAND"
    assert address(seller_country=None)[-1] == "20457 Hamburg"


@pytest.mark.parametrize(
    ("country", "address", "lines"),
    [
        ("GB", PostalAddress(lines=("1 Mill Lane",), city="Leeds", postal_code="LS1 4AB"), ("Leeds", "LS1 4AB")),
        ("US", PostalAddress(lines=("1 Main St",), city="Reno", region="NV", postal_code="89501"), ("Reno, NV 89501",)),
        ("FR", PostalAddress(lines=("14 rue Haute",), city="Lyon", postal_code="69002"), ("69002 Lyon",)),
    ],
)
def test_places_are_written_as_in_their_country(country: str, address: PostalAddress, lines: tuple[str, ...]) -> None:
    assert address_lines("Acme", None, address, country)[-len(lines) :] == lines


@pytest.mark.parametrize("count", [1, 4, 5, 6, 9])
def test_an_address_has_six_lines_at_most_and_keeps_name_and_place(count: int) -> None:
    address = PostalAddress(lines=tuple(f"Line {n}" for n in range(count)), city="Hamburg", postal_code="20457")
    lines = list(address_lines("Acme GmbH", "Ada Lang", address, "DE"))
    assert len(lines) <= 6
    assert (lines[0], lines[-1]) == ("Acme GmbH", "20457 Hamburg")
    assert f"Line {count - 1}" in " ".join(lines)


def test_a_name_that_looks_like_a_formula_is_text_in_the_list() -> None:
    written = letter(customer='=HYPERLINK("http://evil")')
    listed = list(csv.DictReader(StringIO(csv_of([sheet_of(written, words_of(written), 1, "left")]))))
    assert listed[0]["customer"].startswith("'=")


def test_very_many_invoices_are_not_enclosed_but_listed_on_the_statement() -> None:
    def paths(count: int) -> list[str]:
        items = (ITEM,) * count
        return [document.path for document in wanted(letter(items=items, attachments=("invoices",)))]

    assert len(paths(INVOICES_MAX)) == INVOICES_MAX
    assert paths(INVOICES_MAX + 1) == [f"/v1/customers/{UUID(int=1)}/statement.pdf"]
    both = wanted(letter(attachments=("invoices", "statement")))
    assert [document.name for document in both] == ["R-1.pdf", "statement-2026-02-13.pdf"]
    assert wanted(letter()) == ()


LADDER = """
name: default
title: By letter
steps:
  - name: letter
    days_from_due: 1
    channels: [letter]
    tone: formal
    template: final-notice
    attachments: {attachments}
"""


async def letters_due(desk: Desk, *names: str, attachments: str = "[]") -> list[Customer]:
    """Customers to whom a letter is due."""
    document = LADDER.format(attachments=attachments)
    published = await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    assert published.status_code == 200, published.text
    customers = [await desk.onboard(name=name, address=HAMBURG) for name in names]
    for number, customer in enumerate(customers):
        await desk.issue(customer, date(2026, 2, 1), f"R-{number}")
    await desk.until(date(2026, 2, 2))
    return customers


async def close(desk: Desk) -> Any:
    answer = await post(desk.http, "/v1/letter-batches", {})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def statuses(desk: Desk) -> list[str]:
    return [contact["status"] for contact in await desk.contacts()]


async def test_letters_wait_are_printed_and_count_as_sent_when_they_are_posted(desk: Desk) -> None:
    await letters_due(desk, "Acme GmbH", "Bolt AG")
    assert await statuses(desk) == ["planned", "planned"]
    assert desk.mails() == []
    batch = await close(desk)
    assert (batch["status"], batch["letters"]) == ("closed", 2)
    path = f"/v1/letter-batches/{batch['id']}"
    first = await desk.http.get(f"{path}/letters.pdf")
    assert first.headers["content-type"] == "application/pdf"
    text = text_of(first.content)
    assert text.index("Letters to print") < text.index("Final notice")
    assert "Acme GmbH" in text
    assert len(PdfReader(BytesIO(first.content)).pages) == 3
    listed = list(csv.DictReader(StringIO((await desk.http.get(f"{path}/letters.csv")).content.decode("utf-8-sig"))))
    assert sorted(row["customer"] for row in listed) == ["Acme GmbH", "Bolt AG"]
    assert listed[0]["address"].endswith("Hafenstraße 12 | 20457 Hamburg")
    posted = await post(desk.http, f"{path}/posting", {})
    assert posted.json()["status"] == "posted"
    assert await statuses(desk) == ["sent", "sent"]
    assert (await desk.types()).count("reminder.sent") == 2
    assert {case["step"] for case in (await desk.get("/v1/cases"))["items"]} == {"letter"}
    assert problem(await post(desk.http, f"{path}/posting", {}), 409) == "letter-batch-ended"
    assert text_of((await desk.http.get(f"{path}/letters.pdf")).content) == text


async def test_a_letter_is_in_one_batch_only_however_often_batches_are_closed(desk: Desk) -> None:
    await letters_due(desk, "Acme GmbH")
    key = str(uuid4())
    one = await post(desk.http, "/v1/letter-batches", {}, key)
    same = await post(desk.http, "/v1/letter-batches", {}, key)
    assert one.json()["id"] == same.json()["id"]
    assert problem(await post(desk.http, "/v1/letter-batches", {}), 409) == "no-letters"
    await desk.until(date(2026, 6, 1))
    assert await statuses(desk) == ["sending"]  # It is on nobody's lease, and is given up by nobody.


async def test_what_is_paid_before_the_batch_is_closed_is_not_printed(desk: Desk) -> None:
    acme, bolt = await letters_due(desk, "Acme GmbH", "Bolt AG")
    paid = next(invoice for invoice in desk.invoice_service.invoices if invoice.customer_id == acme.id)
    paid.paid_minor = paid.total_minor  # The news of it is still on its way.
    batch = await close(desk)
    items = (await desk.get(f"/v1/letter-batches/{batch['id']}"))["items"]
    assert [item["customer_id"] for item in items] == [str(bolt.id)]
    (suppressed,) = await desk.contacts(status="suppressed")
    assert (suppressed["customer_id"], suppressed["reason"]) == (str(acme.id), "nothing_collectable")


async def test_while_the_balance_cannot_be_had_no_letter_is_printed(desk: Desk) -> None:
    await letters_due(desk, "Acme GmbH")
    desk.invoice_service.down = True
    assert (await close(desk))["letters"] == 0
    assert await statuses(desk) == ["planned"]
    desk.invoice_service.down = False
    assert (await close(desk))["letters"] == 1


async def test_letters_left_out_or_withdrawn_wait_for_the_next_batch(desk: Desk) -> None:
    await letters_due(desk, "Acme GmbH", "Bolt AG")
    first = await close(desk)
    withdrawn = await post(desk.http, f"/v1/letter-batches/{first['id']}/withdrawal", {})
    assert withdrawn.json()["status"] == "withdrawn"
    assert await statuses(desk) == ["planned", "planned"]
    second = await close(desk)
    items = (await desk.get(f"/v1/letter-batches/{second['id']}"))["items"]
    body = {"left_out": [items[0]["contact_id"]]}
    await post(desk.http, f"/v1/letter-batches/{second['id']}/posting", body)
    assert sorted(await statuses(desk)) == ["planned", "sent"]
    third = await close(desk)
    assert third["letters"] == 1
    listed = (await desk.get("/v1/letter-batches"))["items"]
    assert [batch["status"] for batch in listed] == ["closed", "posted", "withdrawn"]


async def test_what_is_enclosed_is_printed_behind_its_letter_or_nothing_is_printed(desk: Desk) -> None:
    await letters_due(desk, "Acme GmbH", attachments="[invoices, statement]")
    batch = await close(desk)
    path = f"/v1/letter-batches/{batch['id']}/letters.pdf"
    desk.invoice_service.down = True
    assert problem(await desk.http.get(path), 503) == "unavailable"
    desk.invoice_service.down = False
    desk.invoice_service.document = blank(2)
    assert len(PdfReader(BytesIO((await desk.http.get(path)).content)).pages) == 1 + 1 + 2 + 2
    desk.invoice_service.document = blank(7)  # What was fetched once stays, whatever the documents become.
    assert len(PdfReader(BytesIO((await desk.http.get(path)).content)).pages) == 6


def blank(pages: int) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_a_customer_without_a_postal_address_gets_a_task_and_no_letter(desk: Desk) -> None:
    await letters_due(desk)
    customer = await desk.onboard(address=None)
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 3))
    assert await statuses(desk) == ["suppressed"]
    (task,) = (await desk.get("/v1/tasks", customer_id=customer.id))["items"]
    assert task["kind"] == "unreachable"
