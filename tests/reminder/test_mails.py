"""What a mail says and how it is built: readable in text and HTML, in the customer's figures, safe with odd names."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest

from services.reminder.mails.handlers import as_message, compose
from services.reminder.mails.rules import TEMPLATES, Letter
from services.reminder.receivables.rules import BalanceItem
from shared.mail_address import is_address
from shared.money import Money

ITEM = BalanceItem("R-1", date(2026, 1, 2), date(2026, 2, 1), 12, Money(125_050, "EUR"))
OTHER = BalanceItem("R-2", date(2026, 1, 9), date(2026, 2, 8), 5, Money(9_900, "JPY"))


def letter(**changes: Any) -> Letter:
    given: dict[str, Any] = {
        "contact_id": UUID(int=7),
        "customer_id": UUID(int=1),
        "recipient": "ada@acme.example",
        "person": "Ada Lang",
        "customer": "Acme GmbH",
        "language": "en",
        "country": "GB",
        "template": "first-reminder",
        "tone": "friendly",
        "seller": "Northwind Trading",
        "items": (ITEM,),
        "due_on": None,
        "pay_link": "https://pay.example/pay/abc",
        "written_on": date(2026, 2, 13),
    }
    return Letter(**{**given, **changes})


def travelled(of: Letter) -> EmailMessage:
    """The mail as a mail program reads it."""
    raw = as_message(of, compose(of), "ar@northwind.example", datetime(2026, 2, 13, 9, tzinfo=UTC))
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


class WellFormed(HTMLParser):
    """Every element that is opened is closed in its place."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("items", [(ITEM,), (ITEM, OTHER)])
def test_every_template_reads_well_with_one_invoice_and_with_more(
    template: str, items: tuple[BalanceItem, ...]
) -> None:
    due_on = date(2026, 2, 20) if template == "due-soon" else None
    mail = compose(letter(template=template, items=items, due_on=due_on))
    for part in (mail.subject, mail.text, mail.html):
        assert "{{" not in part
        assert "None" not in part
        assert "1 days" not in part
        assert "1 invoices" not in part
    for item in items:
        assert item.number in mail.text
        assert item.number in mail.html
    assert "https://pay.example/pay/abc" in mail.text
    assert mail.html.count("https://pay.example/pay/abc") == 3
    parser = WellFormed()
    parser.feed(mail.html)
    assert parser.open == []


def test_the_tone_grows_from_friendly_to_formal() -> None:
    said = {template: compose(letter(template=template)).text for template in TEMPLATES}
    assert "easily overlooked" in said["first-reminder"]
    assert "within the next seven days" in said["firm-reminder"]
    assert "collection agency" in said["final-notice"]
    assert all("agency" not in text for template, text in said.items() if template != "final-notice")


@pytest.mark.parametrize(
    ("language", "country", "amount"),
    [
        ("de", "DE", "1.250,50\xa0€"),
        ("en", "GB", "€1,250.50"),
        ("de", "CH", "EUR\xa01’250.50"),
        ("fr", "FR", "1\u202f250,50\xa0€"),
        ("en", "XX", "€1,250.50"),
        ("qq", None, "€1,250.50"),
    ],
)
def test_amounts_are_written_as_the_customer_writes_them(language: str, country: str | None, amount: str) -> None:
    assert amount in compose(letter(language=language, country=country)).text


def test_amounts_have_their_currencys_decimals_and_one_total_a_currency() -> None:
    text = compose(letter(items=(ITEM, OTHER))).text
    assert "JP¥9,900\n" in text
    assert "Total  €1,250.50\n         JP¥9,900\n" in text


def test_dates_cannot_be_misread() -> None:
    assert "Issued 2 Jan 2026, due 1 Feb 2026, 12 days overdue" in compose(letter()).text


def test_a_customer_without_a_named_person_is_greeted_too() -> None:
    assert compose(letter(person=None)).text.startswith("Hello,\n")


def test_markup_and_template_words_in_names_stay_words() -> None:
    nasty = '<script>alert("x")</script> {{ 7 * 7 }} & Co'
    mail = compose(letter(customer=nasty, seller=nasty, person=nasty))
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "{{ 7 * 7 }}" in mail.text
    assert "49" not in mail.text


def test_line_breaks_in_names_end_no_header() -> None:
    message = travelled(letter(seller="Northwind\r\nBcc: evil@example.com", person="Ada\nX-Spam: no"))
    assert message["Bcc"] is None
    assert message["X-Spam"] is None
    assert message["From"].addresses[0].display_name == "Northwind Bcc: evil@example.com"


def test_a_mail_carries_text_and_html_that_say_the_same_to_the_letter() -> None:
    written = letter(customer="Größe & Söhne", person="Jürgen Öztürk")
    message = travelled(written)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == compose(written).text
    assert html.get_content().replace("\r\n", "\n") == compose(written).html
    assert message["To"].addresses[0].display_name == "Jürgen Öztürk"
    assert message["Message-ID"] == f"<{UUID(int=7)}@northwind.example>"
    assert message["Date"].datetime == datetime(2026, 2, 13, 9, tzinfo=UTC)
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_subject_beyond_ascii_arrives_as_written() -> None:
    of = letter(template="second-reminder", tone="friendly")
    assert travelled(of)["Subject"] == "Second reminder: €1,250.50 past due"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ada@acme.example", True),
        ("a.b+c@sub.acme.example", True),
        ("ada@localhost", True),
        ("ada@@acme", False),
        ("ada", False),
        ("ada@acme.example\r\nRCPT TO:<x@y>", False),
        ("Ada <ada@acme.example>", False),
        ("jürgen@acme.example", False),
        ("ada@-acme.example", False),
    ],
)
def test_what_is_an_address(text: str, good: bool) -> None:
    assert is_address(text) is good


def test_no_line_of_a_mail_is_too_long_to_travel() -> None:
    many = tuple(BalanceItem(f"R-{n}", ITEM.issued_on, ITEM.due_on, 12, ITEM.collectable) for n in range(300))
    of = letter(items=many, customer="x" * 500)
    raw = as_message(of, compose(of), "ar@northwind.example", datetime(2026, 2, 13, tzinfo=UTC))
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.count(b"\n") == raw.count(b"\r\n")
