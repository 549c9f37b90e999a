"""Terms are written out, sent, accepted once, and make a customer of the applicant, who is welcomed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.credit.agreement_words.rules import WORDS
from services.credit.agreements import rules
from services.credit.agreements.rules import Seller
from services.credit.application_forms.rules import Form
from services.credit.applications.rules import Terms
from services.credit.onboarding_mails import rules as mailing
from services.credit.onboarding_mails.rules import ATTEMPTS_MAX, Mail
from services.credit.tongues.rules import LANGUAGES, tongue
from shared.db import Database
from tests.credit.applications import NORDWIND, TERMS, apply, approved, money, step, vetting
from tests.credit.client import Credit, names, problem
from tests.credit.onboarding import onboarding, send_mails
from tests.mailbox import Mailbox


@pytest.fixture
async def desk(credit_database: Database, keys_folder: Path, token: Callable[..., str]) -> AsyncIterator[Credit]:
    async with onboarding(credit_database, keys_folder, token()) as credit:
        yield credit


async def written(desk: Credit, body: dict[str, Any] | None = None, **changes: Any) -> tuple[str, dict[str, Any]]:
    """An application whose terms are out, and those."""
    application_id = await approved(desk, **changes)
    return application_id, await step(desk, application_id, "terms", body or {}, 201)


def signed(terms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"accepted_by": "Paul Ehlers", "accepted_on": terms["made_at"][:10], "sha256": terms["sha256"], **changes}


async def test_terms_go_out_as_the_document_whose_hash_is_kept(desk: Credit, smtp: Mailbox) -> None:
    application_id, terms = await written(desk, {"external_id": "K-77"})

    await send_mails(desk.database, smtp)

    pdf = (await desk.http.get(f"/v1/applications/{application_id}/terms.pdf")).content
    assert pdf.startswith(b"%PDF-")
    assert sha256(pdf).hexdigest() == terms["sha256"]
    [mail] = smtp.messages
    assert (mail["To"], mail["From"]) == (
        "Paul Ehlers <einkauf@nordwind.example>",
        "Hansa Supply GmbH <credit@hansa.example>",
    )
    assert mail["Subject"] == "Konditionen für Ihr Konto bei Hansa Supply GmbH"
    [attached] = mail.iter_attachments()
    assert attached.get_content() == pdf
    body = mail.get_body(("plain",))
    assert body is not None
    assert "/apply/" in body.get_content()
    assert [each["status"] for each in (await desk.get(f"/v1/applications/{application_id}/mails"))["items"]] == [
        "sent"
    ]


async def test_acceptance_makes_a_customer_on_the_agreed_terms_and_welcomes_it(desk: Credit, smtp: Mailbox) -> None:
    application_id, terms = await written(desk, {"external_id": "K-77"})

    accepted = await step(desk, application_id, "acceptance", signed(terms))

    assert (accepted["accepted_by"], accepted["accepted_through"], accepted["recorded_by"]) == (
        "Paul Ehlers",
        "staff",
        "anna",
    )
    customer = await desk.get(f"/v1/customers/{accepted['customer_id']}")
    assert (customer["external_id"], customer["name"], customer["vat_id"]) == (
        "K-77",
        NORDWIND["legal_name"],
        "DE136695976",
    )
    agreed = {name: TERMS[name] for name in ("net_days", "prepaid_percent", "deposit")}
    assert (customer["payment_terms"], customer["requires"]) == ({**agreed, "source": "agreed"}, ["purchase_order"])
    credit = await desk.get(f"/v1/customers/{customer['id']}/credit")
    assert credit["limit"] == TERMS["limit"]
    events = [each["type"] for each in await desk.published(customer["id"])]
    assert events == ["customer.onboarded", "credit.limit_changed", "credit.limit_changed"]
    application = await desk.get(f"/v1/applications/{application_id}")
    assert (application["status"], application["customer_id"]) == ("accepted", customer["id"])

    await send_mails(desk.database, smtp)

    sent = {str(message["Subject"]): message for message in smtp.messages}
    welcome = sent["Willkommen bei Hansa Supply GmbH"].get_body(("plain",))
    assert welcome is not None
    text = welcome.get_content()
    for told in ("K-77", "30.000,00", "30 Tage", "9,27", "40,00", "2\xa0% bei", "20\xa0%", "DE75 5121", "Maren Voss"):
        assert told in text, told
    assert "beanstanden" in text


async def test_what_was_learned_comes_along_and_the_credit_file_is_published_then(desk: Credit) -> None:
    application_id = await vetting(desk)
    await step(desk, application_id, "assessments", {}, 201)
    await step(desk, application_id, "proposal", {"terms": TERMS, "reason": "Sound"})
    terms = await step(desk, application_id, "terms", {}, 201)
    assert await desk.published() == []

    customer_id = (await step(desk, application_id, "acceptance", signed(terms)))["customer_id"]

    inputs = (await desk.get(f"/v1/customers/{customer_id}/vetting-inputs"))["items"]
    assert [each["particulars"]["kind"] for each in inputs] == ["foundation"]
    [assessed] = [each for each in await desk.published(customer_id) if each["type"] == "credit.assessed"]
    assert assessed["version"] == 1
    assert problem(await desk.http.get(f"/v1/customers/{application_id}/vetting-inputs"), 404) == "customer-not-found"


async def test_the_group_is_joined_when_the_parent_is_a_customer_by_then(desk: Credit) -> None:
    mother = await apply(desk)
    other = {"identifiers": [{"kind": "duns", "value": "150483782"}]}
    daughter = await vetting(desk, parent_id=mother["id"], **other)
    body = {"terms": TERMS, "reason": "Sound", "despite_duplicates": True}
    await step(desk, daughter, "proposal", body)
    terms = await step(desk, daughter, "terms", {}, 201)
    answer = await desk.post(f"/v1/applications/{daughter}/acceptance", signed(terms))
    assert problem(answer, 422) == "parent-refused"

    await step(desk, mother["id"], "submission")
    await step(desk, mother["id"], "vetting")
    await step(desk, mother["id"], "proposal", body)
    of_mother = await step(desk, mother["id"], "terms", {}, 201)
    mother_id = (await step(desk, mother["id"], "acceptance", signed(of_mother)))["customer_id"]

    daughter_id = (await step(desk, daughter, "acceptance", signed(terms)))["customer_id"]
    assert (await desk.get(f"/v1/customers/{daughter_id}"))["parent_id"] == mother_id


async def test_terms_are_accepted_once(desk: Credit) -> None:
    application_id, terms = await written(desk)
    await step(desk, application_id, "acceptance", signed(terms))
    answer = await desk.post(f"/v1/applications/{application_id}/acceptance", signed(terms, accepted_by="Nora"))
    assert problem(answer, 409) == "accepted-before"
    assert len((await desk.get("/v1/customers"))["items"]) == 1


async def test_only_the_newest_terms_can_be_accepted(desk: Credit) -> None:
    application_id, first = await written(desk)
    second = await step(desk, application_id, "terms", {"language": "en"}, 201)
    assert (second["version"], second["external_id"]) == (2, first["external_id"])
    answer = await desk.post(f"/v1/applications/{application_id}/acceptance", signed(first))
    assert problem(answer, 409) == "other-terms"
    await step(desk, application_id, "acceptance", signed(second))


@pytest.mark.parametrize("days", [-1, 1])
async def test_an_acceptance_before_the_terms_or_after_today_is_refused(desk: Credit, days: int) -> None:
    application_id, terms = await written(desk)
    day = date.fromisoformat(terms["made_at"][:10]) + timedelta(days=days)
    answer = await desk.post(f"/v1/applications/{application_id}/acceptance", signed(terms, accepted_on=str(day)))
    assert list(names(answer)) == ["#/accepted_on"]


async def test_terms_are_written_only_once_they_are_approved_and_by_a_seller_who_is_there(desk: Credit) -> None:
    application_id = await vetting(desk)
    path = f"/v1/applications/{application_id}/terms"
    assert problem(await desk.post(path, {}), 409) == "application-state"
    await step(desk, application_id, "proposal", {"terms": TERMS, "reason": "Sound"})
    assert list(names(await desk.post(path, {"entity_id": "nobody"}))) == ["#/entity_id"]
    assert problem(await desk.http.get(path), 404) == "agreement-not-found"
    taken = await desk.onboard(external_id="K-1")
    answer = await desk.post(path, {"external_id": "K-1"})
    assert problem(answer, 409) == "duplicate-external-id"
    assert answer.json()["customer_id"] == taken["id"]


async def test_without_the_invoice_service_no_terms_go_out(
    credit_database: Database, keys_folder: Path, token: Callable[..., str]
) -> None:
    async with onboarding(credit_database, keys_folder, token(), invoice_answers=False) as desk:
        application_id = await approved(desk)
        assert problem(await desk.post(f"/v1/applications/{application_id}/terms", {}), 503) == "seller-unknown"
        assert (await desk.get(f"/v1/applications/{application_id}/mails"))["items"] == []


async def test_an_invitation_goes_to_who_approves(desk: Credit, smtp: Mailbox) -> None:
    application = await apply(desk)
    await step(desk, application["id"], "invitations", {}, 202)
    await send_mails(desk.database, smtp)
    assert smtp.messages[0]["Subject"] == "Ihr Kundenantrag bei Hansa Supply GmbH"
    nobody = await apply(desk, contacts=[])
    assert problem(await desk.post(f"/v1/applications/{nobody['id']}/invitations", {}), 422) == "nobody-to-write-to"


async def test_a_mail_is_sent_once_and_one_that_a_crash_left_is_unknown_and_repeated_by_a_person_alone(
    desk: Credit, smtp: Mailbox
) -> None:
    application_id, _ = await written(desk)
    mails = f"/v1/applications/{application_id}/mails"
    await desk.database.pool.execute(
        "update onboarding_mail set status = 'sending', lease_until = now() - interval '1 second'"
    )
    assert await send_mails(desk.database, smtp)
    assert not await send_mails(desk.database, smtp)
    [left] = (await desk.get(mails))["items"]
    assert (left["status"], smtp.messages) == ("unknown", [])

    again = await desk.post(f"{mails}/{left['id']}/repeat", None)

    assert again.status_code == 202
    assert problem(await desk.post(f"{mails}/{again.json()['id']}/repeat", None), 409) == "onboarding-mail-under-way"
    await send_mails(desk.database, smtp)
    await send_mails(desk.database, smtp)
    assert len(smtp.messages) == 1
    assert problem(await desk.post(f"{mails}/{uuid4()}/repeat", None), 404) == "onboarding-mail-not-found"


async def test_a_refused_mail_says_why_and_one_that_never_left_is_tried_again(desk: Credit, smtp: Mailbox) -> None:
    application_id, _ = await written(desk)
    mails = f"/v1/applications/{application_id}/mails"
    await send_mails(desk.database, None)
    [waiting] = (await desk.get(mails))["items"]
    assert (waiting["status"], waiting["attempts"]) == ("planned", 1)
    assert "the mail server cannot be used" in waiting["reason"]
    smtp.refuse = True
    await desk.database.pool.execute("update onboarding_mail set retry_at = now()")
    await send_mails(desk.database, smtp)
    [refused] = (await desk.get(mails))["items"]
    assert (refused["status"], refused["attempts"]) == ("refused", 2)
    assert "No such mailbox here" in refused["reason"]


NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
MAIL = Mail(uuid4(), uuid4(), "invitation", None, "a@b.example", "A", "S", "s", "p", "h", NOW, "anna")


@pytest.mark.parametrize(
    ("fate", "attempts", "status"),
    [
        ("sent", 0, "sent"),
        ("refused", 0, "refused"),
        ("doubtful", 0, "unknown"),
        ("untried", 0, "planned"),
        ("deferred", ATTEMPTS_MAX - 2, "planned"),
        ("deferred", ATTEMPTS_MAX - 1, "refused"),
        ("refused_for_now", ATTEMPTS_MAX - 2, "planned"),
        ("refused_for_now", ATTEMPTS_MAX - 1, "refused"),
    ],
)
def test_only_what_certainly_did_not_leave_is_tried_again(fate: Any, attempts: int, status: str) -> None:
    after = mailing.after(replace(MAIL, attempts=attempts), fate, "so", NOW)
    assert after.status == status
    assert (after.retry_at is not None) == (status == "planned")


SHOWN = Form.model_validate(NORDWIND)
FULL = Terms.model_validate(TERMS)
BARE = Terms.model_validate({"limit": money("0.00"), "net_days": 0})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_every_term(language: str) -> None:
    seller = Seller("Hansa", contact=("Maren Voss", "+49 40 1"), account=("DE75 5121",))
    shown = rules.rows(FULL, SHOWN, seller, tongue(language, "DE"))
    assert len(shown) == 11
    assert len({name for name, _, _ in shown}) == 11
    assert all("{" not in text for row in shown for text in row)


def test_what_is_not_agreed_is_not_listed_and_the_law_holds_for_late_payment() -> None:
    t = tongue("en", "GB")
    shown = {name: value for name, value, _ in rules.rows(BARE, SHOWN, Seller("Hansa"), t)}
    assert shown["Credit limit"] == "Prepayment only"
    assert shown["Payment term"] == "at once"
    assert shown["Late payment"] == "as the law provides"
    assert not {"Prepayment", "Deposit", "Early payment", "Cost of recovery", "Whom to call"} & shown.keys()


def test_a_share_is_written_as_the_language_writes_it() -> None:
    assert tongue("en", "GB").percent(Decimal("9.27")) == "9.27%"
    assert tongue("de", "DE").percent(Decimal("9.2700")) == "9,27\xa0%"
    assert tongue("xx", None).language == "en"


def test_each_word_is_there_in_four_languages_with_the_same_blanks_to_fill() -> None:
    for key, said in WORDS.items():
        assert len([text for text in said if text]) == 4, key
        blanks = {frozenset(part.split("}")[0] for part in text.split("{")[1:]) for text in said}
        assert len(blanks) == 1, key


async def test_of_two_acceptances_at_the_same_moment_one_makes_a_customer(desk: Credit) -> None:
    application_id, terms = await written(desk)
    path = f"/v1/applications/{application_id}/acceptance"
    answers = await asyncio.gather(*(desk.post(path, signed(terms, accepted_by=name)) for name in ("Paul", "Nora")))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await desk.get("/v1/customers"))["items"]) == 1
    mails = (await desk.get(f"/v1/applications/{application_id}/mails"))["items"]
    assert [each["kind"] for each in mails] == ["terms", "welcome"]
