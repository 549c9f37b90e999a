"""A company applies: what it says is checked piece by piece, and decided by those who may."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.db import Database
from tests.credit.applications import NORDWIND, STRANGER, TERMS, apply, approved, money, step, vetting
from tests.credit.client import Credit, names, problem
from tests.credit.conftest import calling


@pytest.fixture
async def others(
    credit_database: Database, keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[tuple[Credit, Credit]]:
    async with (
        calling(credit_database, keys_folder, token("all", "berta")) as berta,
        calling(credit_database, keys_folder, token("all", "carl")) as carl,
    ):
        yield berta, carl


async def want_approvals(credit: Credit) -> None:
    policy = await credit.get("/v1/credit-policy")
    approvals = [{"above": money("10000.00"), "approvers": 1}, {"above": money("50000.00"), "approvers": 2}]
    body = {"limits": policy["limits"], "rules": {"approvals": approvals}}
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text


async def test_a_draft_may_be_full_of_holes_and_names_them_all_at_once(credit: Credit) -> None:
    answer = await credit.post("/v1/applications", {"legal_name": "Nordwind GmbH"})
    assert answer.status_code == 201
    application = answer.json()
    assert application["status"] == "draft"
    wanting = [each["field"] for each in application["missing"]]
    assert len(wanting) == 14
    assert "/legal_name" not in wanting

    answer = await credit.post(f"/v1/applications/{application['id']}/submission", None)

    assert problem(answer, 422) == "application-incomplete"
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"#{field}" for field in wanting]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("#/identifiers/1/value", {"identifiers": [NORDWIND["identifiers"][0], {"kind": "lei", "value": "X1"}]}),
        ("#/identifiers/0/value", {"identifiers": [{"kind": "vat", "value": "DE136695977"}]}),
        ("#/identifiers/0/kind", {"identifiers": [{"kind": "horoscope", "value": "Leo"}]}),
        ("#/bank/iban", {"bank": {"iban": "DE02120300000000202052"}}),
        ("#/bank/bic", {"bank": {"bic": "B"}}),
        ("#/contacts/0/email", {"contacts": [{"role": "billing", "name": "N", "email": "nobody"}]}),
        ("#/country", {"country": "XX"}),
        ("#/founded_year", {"founded_year": 2999}),
        ("#/wanted_net_days", {"wanted_net_days": 366}),
        ("#/stars", {"stars": 5}),
    ],
)
async def test_what_cannot_be_is_refused_at_once_with_its_field(
    credit: Credit, field: str, change: dict[str, Any]
) -> None:
    assert list(names(await credit.post("/v1/applications", {**NORDWIND, **change}))) == [field]


async def test_it_is_filled_in_piece_by_piece_and_numbers_are_kept_without_blanks(credit: Credit) -> None:
    application = await apply(credit, identifiers=[], bank=None)
    path = f"/v1/applications/{application['id']}"
    answer = await credit.change("PATCH", path, 1, {"identifiers": NORDWIND["identifiers"], "bank": NORDWIND["bank"]})
    assert answer.status_code == 200
    assert answer.json()["missing"] == []
    assert answer.json()["form"]["identifiers"][1] == {"kind": "vat", "value": "DE136695976"}
    assert answer.json()["form"]["bank"]["iban"] == "DE02120300000000202051"
    assert problem(await credit.change("PATCH", path, 1, {"legal_form": "AG"}), 412) == "stale-version"
    assert (await credit.get(path))["form"] == answer.json()["form"]


async def test_a_limit_in_another_currency_or_below_zero_is_not_submitted(credit: Credit) -> None:
    for wanted, field in ((money("1.00", "USD"), "#/wanted_limit/currency"), (money("-1.00"), "#/wanted_limit/amount")):
        application = await apply(credit, wanted_limit=wanted)
        answer = await credit.post(f"/v1/applications/{application['id']}/submission", None)
        assert list(names(answer)) == [field]


async def test_parents_are_customers_or_applications_and_make_no_circle(credit: Credit) -> None:
    customer = await credit.onboard()
    mother = await apply(credit, parent_id=customer["id"])
    daughter = await apply(credit, parent_id=mother["id"])
    granddaughter = await apply(credit, parent_id=daughter["id"])

    for parent in (granddaughter["id"], daughter["id"], mother["id"], str(uuid4())):
        answer = await credit.change("PATCH", f"/v1/applications/{mother['id']}", 1, {"parent_id": parent})
        assert problem(answer, 422) == "parent-refused"
        assert list(names(answer)) == ["#/parent_id"]


async def test_a_company_of_next_year_is_not_founded_yet(credit_in_2012: Credit) -> None:
    assert (await credit_in_2012.post("/v1/applications", {"founded_year": 2012})).status_code == 201
    assert list(names(await credit_in_2012.post("/v1/applications", {"founded_year": 2013}))) == ["#/founded_year"]


async def test_submitted_it_changes_no_more_until_it_is_returned(credit: Credit) -> None:
    application = await apply(credit)
    path = f"/v1/applications/{application['id']}"
    submitted = await step(credit, application["id"], "submission")
    assert submitted["status"] == "submitted"
    assert submitted["submitted_by"] == "anna"
    assert problem(await credit.change("PATCH", path, submitted["version"], {"legal_form": "AG"}), 409) == (
        "application-state"
    )
    returned = await step(credit, application["id"], "return")
    answer = await credit.change("PATCH", path, returned["version"], {"legal_form": "AG"})
    assert answer.json()["form"]["legal_form"] == "AG"


async def test_an_applicant_is_vetted_and_assessed_and_nobody_is_told(credit: Credit) -> None:
    application_id = await vetting(credit)
    report = {"kind": "credit_report", "score": 80}
    learned = {"source": "Bureau Ltd", "dated_on": "2026-01-02", "expires_on": "2999-01-01", "particulars": report}
    answer = await credit.post(f"/v1/customers/{application_id}/vetting-inputs", learned)
    assert answer.status_code == 201, answer.text

    vetted = await step(credit, application_id, "assessments", {}, 201)

    assert vetted["risk_class"] in "ABC"
    assert vetted["recommended_limit"]["currency"] == "EUR"
    assert (await credit.get(f"/v1/applications/{application_id}/vetting"))["score"] == vetted["score"]
    kinds = [
        each["particulars"]["kind"]
        for each in (await credit.get(f"/v1/customers/{application_id}/vetting-inputs"))["items"]
    ]
    assert kinds == ["credit_report", "foundation"]
    assert await credit.published() == []
    assert problem(await credit.http.get(f"/v1/customers/{application_id}"), 404) == "customer-not-found"
    assert (await credit.get("/v1/customers"))["items"] == []


async def test_where_the_policy_wants_nobody_terms_are_approved_by_who_proposes_them(credit: Credit) -> None:
    application = await credit.get(f"/v1/applications/{await approved(credit)}")
    assert application["status"] == "approved"
    assert application["decided"]["by"] == "anna"
    assert application["decided"]["reason"] == "Sound"


@pytest.mark.parametrize(("limit", "needed"), [("10000.00", 0), ("10000.01", 1), ("50000.00", 1), ("50000.01", 2)])
async def test_as_many_others_approve_as_the_policy_wants_for_the_limit(
    credit: Credit, others: tuple[Credit, Credit], limit: str, needed: int
) -> None:
    await want_approvals(credit)
    application_id = await approved(credit, {**TERMS, "limit": money(limit)})
    path = f"/v1/applications/{application_id}/approvals"
    for number, person in enumerate(others[:needed]):
        assert (await credit.get(f"/v1/applications/{application_id}"))["status"] == "in_vetting"
        assert problem(await credit.post(path, None), 409) == "approval-refused"
        if number:
            assert problem(await others[0].post(path, None), 409) == "approval-refused"
        assert (await person.post(path, None)).status_code == 200
    application = await credit.get(f"/v1/applications/{application_id}")
    assert application["status"] == "approved"
    assert [each["by"] for each in application["proposal"]["approvals"]] == ["berta", "carl"][:needed]
    assert problem(await others[0].post(path, None), 409) == "application-state"


async def test_terms_proposed_anew_begin_with_no_approval(credit: Credit, others: tuple[Credit, Credit]) -> None:
    await want_approvals(credit)
    application_id = await approved(credit, {**TERMS, "limit": money("60000.00")})
    assert (await others[0].post(f"/v1/applications/{application_id}/approvals", None)).status_code == 200
    again = await step(others[0], application_id, "proposal", {"terms": TERMS, "reason": "Less"})
    assert again["status"] == "in_vetting"
    assert again["proposal"]["approvals"] == []
    answer = await others[0].post(f"/v1/applications/{application_id}/approvals", None)
    assert problem(answer, 409) == "approval-refused"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("#/terms/limit/amount", {"limit": money("-0.01")}),
        ("#/terms/limit/currency", {"limit": money("5.00", "USD")}),
        ("#/terms/deposit/amount", {"deposit": money("-1.00")}),
        ("#/terms/discount_days", {"discount_days": None}),
        ("#/terms/discount_days", {"discount_days": 30}),
        ("#/terms/prepaid_percent", {"prepaid_percent": 101}),
        ("#/terms/net_days", {"net_days": 366}),
    ],
)
async def test_terms_that_cannot_be_are_refused_with_their_field(
    credit: Credit, field: str, change: dict[str, Any]
) -> None:
    application_id = await vetting(credit)
    body = {"terms": {**TERMS, **change}, "reason": "Sound"}
    assert list(names(await credit.post(f"/v1/applications/{application_id}/proposal", body))) == [field]


async def test_declined_and_withdrawn_it_goes_no_further(credit: Credit) -> None:
    declined, withdrawn = await vetting(credit), (await apply(credit))["id"]
    assert (await step(credit, declined, "refusal", {"reason": "Insolvent"}))["decided"]["reason"] == "Insolvent"
    assert (await step(credit, withdrawn, "withdrawal", {"reason": "Too dear"}))["status"] == "withdrawn"
    for application_id in (declined, withdrawn):
        for name, body in (
            ("submission", None),
            ("vetting", None),
            ("proposal", {"terms": TERMS, "reason": "x"}),
            ("refusal", {"reason": "x"}),
            ("withdrawal", {"reason": "x"}),
        ):
            answer = await credit.post(f"/v1/applications/{application_id}/{name}", body)
            assert problem(answer, 409) == "application-state", name


async def test_the_list_shows_what_is_under_way_and_others_when_asked(credit: Credit) -> None:
    first, second = await apply(credit), await approved(credit, **STRANGER)
    gone = (await apply(credit))["id"]
    await step(credit, gone, "withdrawal", {"reason": "Too dear"})
    page = await credit.get("/v1/applications", limit=1)
    assert [each["id"] for each in page["items"]] == [first["id"]]
    rest = await credit.get("/v1/applications", limit=1, cursor=page["next_cursor"])
    assert [each["id"] for each in rest["items"]] == [second]
    assert rest["next_cursor"] is None
    assert [each["id"] for each in (await credit.get("/v1/applications", status="withdrawn"))["items"]] == [gone]


async def test_each_door_wants_its_scope(
    credit_database: Database, keys_folder: Path, token: Callable[..., str], credit: Credit
) -> None:
    application_id = await vetting(credit)
    async with calling(credit_database, keys_folder, token("customers:read")) as reader:
        assert (await reader.http.get(f"/v1/applications/{application_id}")).status_code == 200
        for name in ("submission", "proposal", "approvals", "refusal", "withdrawal", "vetting"):
            body = {"terms": TERMS, "reason": "x"} if name == "proposal" else {"reason": "x"}
            assert (await reader.post(f"/v1/applications/{application_id}/{name}", body)).status_code == 403
