"""Companies that may be the same: what they have in common is said, the likeliest first."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.credit.duplicates import rules
from services.credit.duplicates.rules import Company, Likeness
from tests.credit.applications import NORDWIND, STRANGER, TERMS, apply, step, vetting
from tests.credit.client import Credit, problem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH", "MULLER SOHNE"),
        ("Dupont S.A.", "SA Dupont"),
        ("O’Neil Ltd.", "ONeil Limited"),
        ("A.B.C. Trading Co., Inc.", "ABC Trading"),
        ("GmbH", "G.m.b.H."),
    ],
)
def test_names_are_alike_without_legal_form_accents_and_dots(one: str, other: str) -> None:
    assert rules.name_key(one) == rules.name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Nordwind", "Südwind"), ("Acme East", "Acme West"), ("AG", "KG")])
def test_names_that_differ_otherwise_are_not(one: str, other: str) -> None:
    assert rules.name_key(one) != rules.name_key(other)


def company(**values: Any) -> Company:
    return Company(id=uuid4(), record="customer", status="active", **{"name": "Nordwind", **values})


def test_a_name_counts_only_with_its_postal_code_and_a_free_mail_domain_never() -> None:
    there = company(postal_code="EC1A 1BB", mail_domains=frozenset({"gmail.com"}))
    assert rules.likenesses(there, company(postal_code="ec1a1bb")) == (Likeness.NAME,)
    assert rules.likenesses(there, company(postal_code="EC1A 1BC")) == ()
    assert rules.likenesses(company(), company()) == ()
    assert rules.likenesses(there, company(name="x", mail_domains=frozenset({"gmail.com"}))) == ()


@pytest.mark.parametrize(
    ("shared", "reason"),
    [
        ({"identifiers": [NORDWIND["identifiers"][0]]}, "same_tax_or_register_number"),
        ({"identifiers": [NORDWIND["identifiers"][1]]}, "same_tax_or_register_number"),
        ({"identifiers": [NORDWIND["identifiers"][2]]}, "same_lei"),
        ({"bank": NORDWIND["bank"]}, "same_iban"),
        ({"contacts": NORDWIND["contacts"]}, "same_mail_domain"),
        ({"legal_name": "NORDWIND HANDELS", "address": NORDWIND["address"]}, "same_name_and_postal_code"),
        ({"trading_names": ["nordwind"], "address": NORDWIND["address"]}, "same_name_and_postal_code"),
    ],
)
async def test_one_thing_in_common_is_a_reason_to_suspect(credit: Credit, shared: dict[str, Any], reason: str) -> None:
    known = await apply(credit)
    submitted = await step(credit, (await apply(credit, **STRANGER))["id"], "submission")
    assert submitted["duplicates"] == []

    application = await apply(
        credit, **{**STRANGER, "identifiers": [{"kind": "us_ein", "value": "911144442"}]} | shared
    )

    found = (await credit.get(f"/v1/applications/{application['id']}/duplicates"))["items"]
    assert {each["id"]: each["reasons"] for each in found}[known["id"]] == [reason]


async def test_customers_are_suspected_too_and_the_likeliest_comes_first(credit: Credit) -> None:
    by_domain = await credit.onboard(
        contacts=[{"role": "billing", "name": "N", "email": "x@Nordwind.example"}], address=None
    )
    by_number = await credit.onboard(vat_id="DE136695976", contacts=[], address=None)
    application_id = (await apply(credit))["id"]

    submitted = await step(credit, application_id, "submission")

    assert [(each["id"], each["reasons"]) for each in submitted["duplicates"]] == [
        (by_number["id"], ["same_tax_or_register_number"]),
        (by_domain["id"], ["same_mail_domain"]),
    ]
    of_customer = (await credit.get(f"/v1/customers/{by_number['id']}/duplicates"))["items"]
    assert [(each["record"], each["id"]) for each in of_customer] == [("application", application_id)]


async def test_terms_are_not_proposed_before_somebody_looked_at_the_suspects(credit: Credit) -> None:
    customer = await credit.onboard(vat_id="DE136695976", contacts=[])
    application_id = await vetting(credit)
    body = {"terms": TERMS, "reason": "Sound"}

    answer = await credit.post(f"/v1/applications/{application_id}/proposal", body)

    assert problem(answer, 409) == "duplicates-suspected"
    assert [each["id"] for each in answer.json()["suspects"]] == [customer["id"]]
    looked_at = await step(credit, application_id, "proposal", {**body, "despite_duplicates": True})
    assert looked_at["status"] == "approved"


async def test_who_withdrew_or_is_not_there_is_no_duplicate(credit: Credit) -> None:
    gone = (await apply(credit))["id"]
    await step(credit, gone, "withdrawal", {"reason": "Too dear"})
    assert (await step(credit, (await apply(credit))["id"], "submission"))["duplicates"] == []
    assert problem(await credit.http.get(f"/v1/customers/{uuid4()}/duplicates"), 404) == "company-not-found"
