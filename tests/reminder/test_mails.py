"""What a mail says and how it is built: readable in text and HTML, in the customer's figures, safe with odd names."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from services.reminder.links.rules import MessageLinkUnusable, read_contact_token, read_reply_address
from services.reminder.mails.handlers import as_message, compose
from services.reminder.mails.rules import Letter, Sender, Stationery
from services.reminder.receivables.rules import BalanceItem, BankAccount, Discount
from services.reminder.texts.rules import size
from services.reminder.wordings.rules import LANGUAGES, choose, shipped
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
    at = datetime(2026, 2, 13, 9, tzinfo=UTC)
    raw = as_message(of, compose(of, STATIONERY), "ar@northwind.example", at, STATIONERY)
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


PAIRS = [(copy.name, each.language, each.tone) for copy in shipped().values() for each in copy.wordings]


def about(template: str, **changes: Any) -> Letter:
    """A letter with what its template speaks of."""
    due_on = date(2026, 2, 20) if shipped()[template].occasion == "before_due" else None
    promised = {"promised": Money(50_000, "EUR"), "promised_on": date(2026, 2, 12)}
    instalment = {"instalment": Money(50_000, "EUR"), "instalment_due_on": date(2026, 2, 20)}
    return letter(**{"template": template, "due_on": due_on, **promised, **instalment, **changes})


@pytest.mark.parametrize(("template", "language", "tone"), PAIRS)
@pytest.mark.parametrize("items", [(ITEM,), (ITEM, OTHER)])
def test_every_template_reads_well_with_one_invoice_and_with_more(
    template: str, language: str, tone: str, items: tuple[BalanceItem, ...]
) -> None:
    mail = compose(about(template, language=language, tone=tone, items=items))
    for part in (mail.subject, mail.text, mail.html, mail.sms):
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_speaks_each_language(language: str) -> None:
    for copy in shipped().values():
        assert language in {each.language for each in copy.wordings}, copy.name


def test_the_steps_of_the_shipped_strategies_have_words_in_each_language_and_their_own_tone() -> None:
    for document in Path("services/reminder/strategies").rglob("*.yaml"):
        for step in yaml.safe_load(document.read_text())["steps"]:
            if step.get("template"):
                for language in LANGUAGES:
                    tone = step["tone"]
                    assert shipped()[step["template"]].exact(language, tone), (document.name, step["name"], language)


def test_words_are_chosen_by_language_first_and_then_by_the_nearest_tone() -> None:
    copies = [shipped()["firm-reminder"]]
    asked = [("de-AT", "formal"), ("fr", "friendly"), ("es_MX", "firm"), ("pl", "friendly")]
    chosen = [choose(copies, language, tone) for language, tone in asked]
    assert [(each.language, each.tone) for each in chosen if each] == [
        ("de", "formal"),
        ("fr", "firm"),
        ("es", "firm"),
        ("en", "firm"),
    ]


def test_the_tone_grows_from_friendly_to_formal() -> None:
    ladder = ("due-soon", "first-reminder", "second-reminder", "firm-reminder", "urgent-reminder", "final-notice")
    said = {template: compose(about(template)).text for template in ladder}
    assert "easily overlooked" in said["first-reminder"]
    assert "within the next seven days" in said["firm-reminder"]
    assert "collection agency" in said["final-notice"]
    assert all("agency" not in text for template, text in said.items() if template != "final-notice")


@pytest.mark.parametrize(("template", "language", "tone"), PAIRS)
def test_a_text_message_takes_two_segments_at_most(template: str, language: str, tone: str) -> None:
    link = "https://pay.northwind-trading.example/pay/" + "x" * 60
    several = (ITEM, OTHER, BalanceItem("R-3", ITEM.issued_on, ITEM.due_on, 120, Money(9_999_999, "USD")))
    given = about(template, language=language, tone=tone, items=several, pay_link=link, seller="Nordwind & Söhne " * 4)
    assert size(compose(given).sms).segments <= 2
    assert size(compose(given).sms).encoding == "GSM-7"
    assert link in compose(given).sms


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
    assert "Total: €1,250.50\n" in text
    assert "Total: JP¥9,900\n" in text
    assert text.index("R-1") < text.index("Total: €1,250.50") < text.index("R-2")


def test_dates_cannot_be_misread() -> None:
    assert "Issued: 2 Jan 2026\n    Due: 1 Feb 2026 (Days overdue: 12)\n" in compose(letter()).text
    assert "due on 20 February 2026" in compose(about("due-soon")).text.replace("\n", " ")


@pytest.mark.parametrize(
    ("language", "greeting"),
    [
        ("en", "Hello,"),
        ("de", "Sehr geehrte Damen und Herren,"),
        ("fr", "Madame, Monsieur,"),
        ("es", "Estimados señores:"),
    ],
)
def test_a_customer_without_a_named_person_is_greeted_too(language: str, greeting: str) -> None:
    assert compose(letter(person=None, language=language)).text.startswith(f"{greeting}\n")


def test_a_message_before_due_states_the_discount_and_its_last_day() -> None:
    offered = replace(ITEM, days_overdue=-7, discount=Discount(Money(2_501, "EUR"), date(2026, 2, 15)))
    mail = compose(about("due-soon", items=(offered,)))
    for part in (mail.text, mail.html):
        assert "15 February 2026" in part
        assert "€25.01" in part
    assert "discount" not in compose(about("due-soon")).text


def test_of_several_discounts_the_sum_is_stated_until_the_first_of_their_last_days() -> None:
    first = replace(ITEM, discount=Discount(Money(2_500, "EUR"), date(2026, 2, 15)))
    second = replace(ITEM, number="R-2", discount=Discount(Money(1_000, "EUR"), date(2026, 2, 17)))
    text = compose(about("due-soon", items=(first, second))).text
    assert "Early-payment discount: €35.00 off if you pay by 15 February 2026." in text
    assert "€10.00 off if paid by 17 Feb 2026" in text


def test_the_collector_signs_with_name_role_and_phone() -> None:
    sender = Sender("Maria Keller", "Collections", "+49 30 1234567", "maria@northwind.example")
    text = compose(letter(sender=sender)).text
    assert "Kind regards,\nMaria Keller\nCollections, Northwind Trading\nPhone +49 30 1234567\n" in text
    assert travelled(letter(sender=sender))["From"].addresses[0].display_name == "Maria Keller (Northwind Trading)"
    assert travelled(letter(sender=sender))["Reply-To"] == "maria@northwind.example"
    assert "Kind regards,\nNorthwind Trading\nAccounts receivable\n" in compose(letter()).text


def test_bank_details_of_the_currencies_owed_are_given_with_the_invoices_reference() -> None:
    banks = (
        BankAccount("Northwind GmbH", "DE02120300000000202051", "BYLADEM1001", "DKB", "EUR"),
        BankAccount("Northwind GmbH", "GB33BUKB20201555555555", None, None, "GBP"),
    )
    text = compose(letter(banks=banks, items=(replace(ITEM, reference="RF10DW000042"),))).text
    assert "IBAN: DE02 1203 0000 0000 2020 51\n" in text
    assert "Reference: RF10 DW00 0042\n" in text
    assert "GB33" not in text
    assert "Reference: R-1, R-3\n" in compose(letter(banks=banks, items=(ITEM, replace(ITEM, number="R-3")))).text


STATIONERY = Stationery(b"k" * 32, "https://reminders.example", "replies@northwind.example")


def test_the_messages_of_an_episode_stand_in_one_thread_and_replies_land_on_the_case() -> None:
    case_id = UUID(int=3)
    first = travelled(letter(case_id=case_id, episode="1"))
    second = travelled(letter(case_id=case_id, episode="1", contact_id=UUID(int=8), template="final-notice"))
    later = travelled(letter(case_id=case_id, episode="2", contact_id=UUID(int=9)))
    assert first["In-Reply-To"] == first["References"] == second["References"]
    assert first["References"] != later["References"]
    assert len({message["Message-ID"] for message in (first, second, later)}) == 3
    reply_to = first["Reply-To"].addresses[0].addr_spec
    assert reply_to.endswith("@northwind.example")
    assert read_reply_address(b"k" * 32, reply_to) == case_id
    assert read_reply_address(b"k" * 32, reply_to.upper()) == case_id
    assert read_reply_address(b"x" * 32, reply_to) is None
    assert read_reply_address(b"k" * 32, "replies@northwind.example") is None


def test_absence_notes_are_kept_from_answering_and_nobody_is_offered_to_unsubscribe_from_owing() -> None:
    message = travelled(letter())
    assert message["Auto-Submitted"] == "auto-generated"
    assert "OOF" in message["X-Auto-Response-Suppress"]
    assert message["List-Unsubscribe"] is None
    assert message["Precedence"] is None


def test_every_message_has_a_link_for_the_wrong_person() -> None:
    mail = compose(letter(), STATIONERY)
    link = re.search(r"https://reminders\.example/contact/([\w-]+)", mail.text)
    assert link is not None
    assert link[0] in mail.html
    assert read_contact_token(b"k" * 32, link[1]) == UUID(int=7)
    with pytest.raises(MessageLinkUnusable):
        read_contact_token(b"x" * 32, link[1])


def test_a_broken_sender_address_breaks_no_header() -> None:
    sender = Sender("Maria\r\nBcc: evil@example.com", None, None, "x@y\r\nBcc: z@z")
    message = travelled(letter(sender=sender))
    assert message["Bcc"] is None
    assert message["Reply-To"] is None


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
    composed = compose(written, STATIONERY)
    assert plain.get_content().replace("\r\n", "\n") == composed.text
    assert html.get_content().replace("\r\n", "\n") == composed.html
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
