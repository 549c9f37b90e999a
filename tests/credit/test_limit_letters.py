"""Customers are written when their limit changes: once, in their language, with the reason and whom to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.credit.agreements.rules import Seller
from services.credit.announcements.rules import Limits
from services.credit.customers.rules import Contact, Customer, Particulars
from services.credit.limit_letter_words.rules import WORDS
from services.credit.limit_letters import rules
from services.credit.limits.rules import Account
from services.credit.seller_desk import SellerDesk
from services.credit.ticks import Resources, apply_policy, plan_limit_letters, send_limit_letters
from services.credit.tongues.rules import LANGUAGES
from shared.mail import MailServer, Postman
from shared.money import Money
from shared.ticks import TickContext
from tests.credit.client import Credit, problem
from tests.credit.onboarding import _invoice_service
from tests.mailbox import Mailbox

NOW = datetime(2012, 1, 3, 8, tzinfo=UTC)
SELLER = Seller("Hansa Supply GmbH", contact=("Maren Voss", "+49 40 765432", "credit@hansa.example"))


async def write_by(credit: Credit, on: bool = True, limit: str = "50000.00") -> None:
    policy = await credit.get("/v1/credit-policy")
    body = {
        "limits": [{"segment": None, "limit": {"amount": limit, "currency": "EUR"}}],
        "rules": {"limit_letters": on},
    }
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text
    now = await credit.database.clock.business_now(credit.database.pool)
    await apply_policy(TickContext(credit.database, now, None))


async def set_limit(credit: Credit, customer_id: str, amount: str) -> None:
    version = (await credit.get(f"/v1/customers/{customer_id}/credit"))["version"]
    body = {"limit": {"amount": amount, "currency": "EUR"}, "reason": "For us only: rumours"}
    answer = await credit.change("PUT", f"/v1/customers/{customer_id}/credit-limit", version, body)
    assert answer.status_code == 200, answer.text


@asynccontextmanager
async def working(credit: Credit, smtp: Mailbox | None, *, answers: bool = True) -> AsyncIterator[TickContext]:
    host, port = (smtp.host, smtp.port) if smtp else ("127.0.0.1", 9)
    postman = Postman(MailServer(host, port, "credit@hansa.example", timeout_seconds=20))
    transport = httpx.ASGITransport(_invoice_service()) if answers else httpx.AsyncHTTPTransport()
    base_url = "http://invoice" if answers else "http://127.0.0.1:9"
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as invoice:
        now = await credit.database.clock.business_now(credit.database.pool)
        yield TickContext(credit.database, now, Resources(postman=postman, sellers=SellerDesk(invoice)))
    await postman.close()


async def work(credit: Credit, smtp: Mailbox | None, *, answers: bool = True) -> bool:
    """A round of the worker's."""
    async with working(credit, smtp, answers=answers) as context:
        planned = await plan_limit_letters(context)
        return await send_limit_letters(context) or planned


async def letters(credit: Credit, **query: Any) -> list[Any]:
    return (await credit.get("/v1/limit-letters", **query))["items"]


async def test_nobody_is_written_while_the_policy_does_not_say_so(credit_in_2012: Credit, smtp: Mailbox) -> None:
    customer = await credit_in_2012.onboard()

    await set_limit(credit_in_2012, customer["id"], "1.00")

    assert not await work(credit_in_2012, smtp)
    assert (await letters(credit_in_2012), smtp.messages) == ([], [])


async def test_a_changed_limit_is_written_once_in_the_customers_language_with_whom_to_ask(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await write_by(credit)
    customer = await credit.onboard()
    await set_limit(credit, customer["id"], "20000.00")

    while await work(credit, smtp):
        pass

    [mail] = smtp.messages
    assert (mail["To"], mail["Subject"]) == ("Ada Lang <ap@acme.example>", "Ihr Kreditlimit bei Hansa Supply GmbH")
    body = mail.get_body(("plain",))
    assert body is not None
    said = body.get_content().replace("\r\n", "\n")
    assert "Neues Limit: 20.000,00\xa0€\nBisheriges Limit: 50.000,00\xa0€\nGilt ab: 3. Januar 2012" in said
    assert "Eine Person hat Ihr Kundenkonto geprüft" in said
    assert "Maren Voss, +49 40 765432, credit@hansa.example" in said
    assert "rumours" not in mail.as_string()
    [letter] = await letters(credit, customer_id=customer["id"])
    assert (letter["status"], letter["attempts"], letter["recipient"]) == ("sent", 1, "ap@acme.example")
    assert letter["plain"] == said


async def test_several_changes_before_the_letter_are_one_and_back_where_it_was_is_none(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await write_by(credit)
    twice, back = await credit.onboard(), await credit.onboard()
    for amount in ("20000.00", "30000.00"):
        await set_limit(credit, twice["id"], amount)
    for amount in ("20000.00", "50000.00"):
        await set_limit(credit, back["id"], amount)

    await work(credit, smtp)

    [letter] = await letters(credit)
    assert (letter["before"]["amount"], letter["limit"]["amount"]) == ("50000.00", "30000.00")


async def test_a_change_of_the_policy_is_written_to_everybody_it_concerns(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await write_by(credit)
    for _ in range(3):
        await credit.onboard()

    await write_by(credit, limit="60000.00")
    while await work(credit, smtp):
        pass

    assert [letter["reason"] for letter in await letters(credit, status="sent")] == ["policy"] * 3
    assert len(smtp.messages) == 3


async def test_a_letter_whose_sender_crashed_is_unknown_and_goes_again_only_because_a_person_says_so(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await write_by(credit)
    customer = await credit.onboard()
    await set_limit(credit, customer["id"], "20000.00")
    async with working(credit, smtp) as context:
        await plan_limit_letters(context)
    await credit.database.pool.execute(
        "update limit_letter set status = 'sending', lease_until = now() - interval '1 second'"
    )

    await work(credit, smtp)
    await work(credit, smtp)

    [letter] = await letters(credit)
    assert (letter["status"], smtp.messages) == ("unknown", [])
    path = f"/v1/limit-letters/{letter['id']}/repeats"
    again = await credit.post(path, None)
    assert again.status_code == 201, again.text
    assert problem(await credit.post(path, None), 409) == "limit-letter-under-way"
    await work(credit, smtp)
    assert [each["status"] for each in await letters(credit)] == ["sent", "unknown"]
    assert len(smtp.messages) == 1
    assert problem(await credit.post(f"/v1/limit-letters/{uuid4()}/repeats", None), 404) == "limit-letter-not-found"


async def test_while_nobody_says_who_the_seller_is_letters_wait_and_a_refused_one_says_why(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await write_by(credit)
    customer = await credit.onboard()
    await set_limit(credit, customer["id"], "20000.00")

    await work(credit, smtp, answers=False)
    [waiting] = await letters(credit)
    assert (waiting["status"], waiting["detail"]) == ("planned", "nobody says who the seller is")
    smtp.refuse = True
    await credit.database.pool.execute("update limit_letter set retry_at = now()")
    await work(credit, smtp)

    [refused] = await letters(credit)
    assert refused["status"] == "refused"
    assert "No such mailbox here" in refused["detail"]


async def test_whom_nobody_can_write_to_is_seen(credit_in_2012: Credit, smtp: Mailbox) -> None:
    credit = credit_in_2012
    await write_by(credit)
    customer = await credit.onboard(contacts=[{"role": "billing", "name": "Ada Lang"}])
    await set_limit(credit, customer["id"], "20000.00")

    await work(credit, smtp)

    [letter] = await letters(credit, status="refused")
    assert (letter["detail"], smtp.messages) == (rules.NO_ADDRESS, [])


def account(minor: int, base: int | None = None, source: Any = "manual") -> Account:
    limit = Money(minor, "EUR")
    known = limit if base is None else Money(base, "EUR")
    return Account(uuid4(), uuid4(), "active", "standard", "EUR", 2, limit, source, "x", 1, known)


def customer(language: str = "en", *contacts: Contact) -> Customer:
    people = contacts or (Contact("billing", "Ada Lang", "ap@acme.example"),)
    about = Particulars(
        name="Acme & Söhne",
        country="GB",
        language=language,
        time_zone="UTC",
        currency="EUR",
        segment="x",
        net_days=30,
        contacts=people,
    )
    return Customer(id=uuid4(), version=1, external_id="C-1", status="active", particulars=about)


def limits(minor: int, base: int | None = None) -> Limits:
    return Limits(Money(minor, "EUR"), Money(minor if base is None else base, "EUR"))


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (limits(100), account(200), "manual"),
        (limits(100), account(200, source="recommended"), "recommended"),
        (limits(100), account(200, source="policy"), "policy"),
        (limits(100), account(150, base=100), "addition_begins"),
        (limits(150, base=100), account(100), "addition_ends"),
    ],
)
def test_the_reason_is_told_in_kind(before: Limits, after: Account, reason: str) -> None:
    assert rules.reason_of(before, after) == reason


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("before", "after", "kind"), [(1, 2, "raised"), (2, 1, "lowered"), (2, 0, "ended")])
def test_every_language_says_what_changed(language: str, before: int, after: int, kind: str) -> None:
    letter = rules.letter(uuid4(), limits(before), account(after), customer(language), date(2012, 1, 3), NOW)
    assert letter
    said = rules.text(letter, SELLER)
    assert WORDS[kind][LANGUAGES.index(language)].format(company="Acme & Söhne") in said.plain
    assert len(said.view["rows"]) == 5
    assert "{" not in said.plain


def test_each_word_is_there_in_four_languages_with_the_same_blanks_to_fill() -> None:
    for key, said in WORDS.items():
        assert len([text for text in said if text]) == 4, key
        assert len({frozenset(part.split("}")[0] for part in text.split("{")[1:]) for text in said}) == 1, key


def test_who_approves_is_written_to_before_who_gets_the_invoices() -> None:
    billing, approver = Contact("billing", "B", "b@x.example"), Contact("approver", "A", "a@x.example")
    assert rules.writer_to(customer("en", billing, approver)) == approver
    assert rules.writer_to(customer("en", Contact("approver", "A"), billing)) == billing
    assert rules.writer_to(customer("en", Contact("billing", "B"))) is None
