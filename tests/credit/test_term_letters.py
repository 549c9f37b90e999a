"""Customers are written when their terms change: once, in their language, with the reason and whom to ask."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.credit.agreements.rules import Seller
from services.credit.customers.rules import Contact, Customer, Particulars
from services.credit.limit_letters import rules
from services.credit.term_letters.rules import WORDS, asks_for_more, eased
from services.credit.terms.rules import Source, Terms
from services.credit.ticks import plan_limit_letters
from services.credit.tongues.rules import LANGUAGES
from shared.money import Money
from tests.credit.client import Credit, problem
from tests.credit.test_limit_letters import work, working, write_by
from tests.mailbox import Mailbox

NOW = datetime(2012, 1, 3, 8, tzinfo=UTC)
SELLER = Seller("Hansa Supply GmbH", contact=("Maren Voss", "+49 40 765432"), account=("DE02 1203 0000", "BYLADEM1001"))


async def written(credit: Credit, **changes: Any) -> str:
    """A customer onboarded while the policy has customers written of their terms."""
    policy = await credit.get("/v1/credit-policy")
    limits = [{"segment": None, "limit": {"amount": "50000.00", "currency": "EUR"}}]
    body = {"limits": limits, "rules": {"term_letters": True}}
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text
    return (await credit.onboard(**changes))["id"]


async def patch(credit: Credit, customer: str, **terms: Any) -> None:
    version = (await credit.get(f"/v1/customers/{customer}"))["version"]
    answer = await credit.change("PATCH", f"/v1/customers/{customer}", version, {"payment_terms": terms})
    assert answer.status_code == 200, answer.text


async def letters(credit: Credit, **query: Any) -> list[Any]:
    return (await credit.get("/v1/term-letters", **query))["items"]


async def test_changed_terms_are_written_once_in_the_customers_language_with_whom_to_ask(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    customer = await written(credit)
    await patch(credit, customer, net_days=14, prepaid_percent=30, deposit={"amount": "5000.00", "currency": "EUR"})

    while await work(credit, smtp):
        pass

    [mail] = smtp.messages
    assert mail["To"] == "Ada Lang <ap@acme.example>"
    assert mail["Subject"] == "Ihre Zahlungsbedingungen bei Hansa Supply GmbH"
    body = mail.get_body(("plain",))
    assert body is not None
    said = body.get_content().replace("\r\n", "\n")
    assert (
        "Zahlungsziel ab Rechnungsdatum: 14 Tage (bisher: 30 Tage)\n"
        "Anzahlung auf jede Bestellung: 30\xa0% (bisher: keine)\n"
        "Kaution: 5.000,00\xa0€ (bisher: keine)\n"
    ) in said
    assert "Gilt ab: 3. Januar 2012\nGrund: Eine Person hat Ihr Kundenkonto geprüft" in said
    assert "Maren Voss, +49 40 765432, credit@hansa.example" in said
    [letter] = await letters(credit, customer_id=customer)
    assert (letter["status"], letter["plain"]) == ("sent", said)
    assert (letter["before"]["net_days"], letter["terms"]["deposit"]["amount"]) == (30, "5000.00")
    assert (await credit.get("/v1/limit-letters"))["items"] == []


async def test_nobody_is_written_while_the_policy_does_not_say_so_nor_of_terms_that_are_as_they_were(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await write_by(credit)  # Of limits only.
    silent = (await credit.onboard())["id"]
    await patch(credit, silent, net_days=14)
    back, twice = await written(credit), await written(credit)
    for days in (14, 30):
        await patch(credit, back, net_days=days)
    for days in (14, 7):
        await patch(credit, twice, net_days=days)

    while await work(credit, smtp):
        pass

    [letter] = await letters(credit)
    assert (letter["customer_id"], letter["before"]["net_days"], letter["terms"]["net_days"]) == (twice, 30, 7)
    assert len(smtp.messages) == 1


async def test_a_letter_whose_sender_crashed_is_unknown_and_goes_again_only_because_a_person_says_so(
    credit_in_2012: Credit, smtp: Mailbox
) -> None:
    credit = credit_in_2012
    await patch(credit, await written(credit), net_days=14)
    async with working(credit, smtp) as context:
        await plan_limit_letters(context)
    await credit.database.pool.execute(
        "update limit_letter set status = 'sending', lease_until = now() - interval '1 second'"
    )

    await work(credit, smtp)
    await work(credit, smtp)

    [letter] = await letters(credit)
    assert (letter["status"], smtp.messages) == ("unknown", [])
    limit_path = f"/v1/limit-letters/{letter['id']}/repeats"
    assert problem(await credit.post(limit_path, None), 404) == "limit-letter-not-found"
    path = f"/v1/term-letters/{letter['id']}/repeats"
    again = await credit.post(path, None)
    assert (again.status_code, again.json()["terms"]["net_days"]) == (201, 14)
    assert problem(await credit.post(path, None), 409) == "limit-letter-under-way"
    await work(credit, smtp)
    assert [each["status"] for each in await letters(credit)] == ["sent", "unknown"]
    assert len(smtp.messages) == 1


BEFORE = Terms(30, 10, Money(100, "EUR"))


@pytest.mark.parametrize(
    ("after", "better", "more"),
    [
        (Terms(31, 10, Money(100, "EUR")), True, False),
        (Terms(29, 10, Money(100, "EUR")), False, False),
        (Terms(30, 9, Money(100, "EUR")), True, False),
        (Terms(30, 11, Money(100, "EUR")), False, False),
        (Terms(30, 10, Money(99, "EUR")), True, False),
        (Terms(30, 10, Money(101, "EUR")), False, True),
        (Terms(30, 10, Money(1, "USD")), False, True),
        (Terms(60, 0), True, False),
        (Terms(60, 0, Money(101, "EUR")), False, True),
    ],
)
def test_what_is_better_in_every_way_is_offered_and_all_else_is_asked_for(
    after: Terms, better: bool, more: bool
) -> None:
    assert (eased(BEFORE, after), asks_for_more(BEFORE, after)) == (better, more)


def customer(terms: Terms, language: str = "en", source: Source = "recommended") -> Customer:
    about = Particulars(
        name="Acme & Söhne",
        country="GB",
        language=language,
        time_zone="UTC",
        currency="EUR",
        segment="x",
        net_days=terms.net_days,
        contacts=(Contact("billing", "Ada Lang", "ap@acme.example"),),
        prepaid_percent=terms.prepaid_percent,
        deposit=terms.deposit,
        terms_source=source,
    )
    return Customer(id=uuid4(), version=2, external_id="C-1", status="active", particulars=about)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("before", "after", "kind", "rows"),
    [
        (Terms(30), Terms(1), "changed", 1),
        (Terms(1), Terms(0, 100), "changed", 2),
        (BEFORE, Terms(60), "eased", 3),
        (Terms(30), BEFORE, "changed", 4),
    ],
)
def test_every_language_says_what_changed(language: str, before: Terms, after: Terms, kind: str, rows: int) -> None:
    letter = rules.terms_letter(uuid4(), before, customer(after, language), date(2012, 1, 3), NOW)
    assert letter
    assert (letter.kind, letter.reason) == ("terms", "recommended")
    said = rules.text(letter, SELLER)
    assert WORDS[kind][LANGUAGES.index(language)].format(company="Acme & Söhne") in said.plain
    assert len(said.view["rows"]) == rows + 3
    assert ("BYLADEM1001" in said.plain) is (after == BEFORE)
    assert "{" not in said.plain


def test_each_word_is_there_in_four_languages_with_the_same_blanks_to_fill() -> None:
    for key, said in WORDS.items():
        assert len([text for text in said if text]) == 4, key
        assert len({frozenset(part.split("}")[0] for part in text.split("{")[1:]) for text in said}) == 1, key
