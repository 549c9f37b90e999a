"""The credit bureau is asked about applicants too; an answer that comes late is about the customer it has become."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from services.credit.bureau import HttpBureau
from services.credit.intake import handlers as intake
from services.credit.ticks import Resources, ask_bureau
from services.credit.vetting import handlers as vetting
from services.credit.vetting.rules import Asked
from shared.db import Database, transaction
from shared.outside import outside_client
from shared.ticks import TickContext
from tests.credit.applications import TERMS, apply, step
from tests.credit.applications import vetting as in_vetting
from tests.credit.client import Credit, problem
from tests.credit.onboarding import onboarding
from tests.credit.test_bureau import REPORT, BureauServer, bureau_server  # noqa: F401  # The fixture.


@pytest.fixture
async def desk(credit_database: Database, keys_folder: Path, token: Callable[..., str]) -> AsyncIterator[Credit]:
    async with onboarding(credit_database, keys_folder, token()) as credit:
        credit.http._transport.app.state.has_bureau = True  # pyright: ignore[reportAttributeAccessIssue]
        yield credit


async def test_the_bureau_is_asked_by_the_register_number_in_the_applicants_country(
    desk: Credit,
    bureau_server: BureauServer,  # noqa: F811
) -> None:
    application_id = await in_vetting(desk)
    bureau_server.answers = [(200, orjson.dumps({**REPORT, "expires_on": "2999-01-01"}))]
    asked = await step(desk, application_id, "bureau-inquiries", None, 202)
    async with outside_client(20) as client:
        bureau = HttpBureau(client, bureau_server.url, "Bureau Ltd", 20, "secret")
        now = await desk.database.clock.business_now(desk.database.pool)
        assert await ask_bureau(TickContext(desk.database, now, Resources(bureau)))
    assert asked["legal_id"] == "HRB 12345 Hamburg"
    assert bureau_server.asked == ["GET /v1/reports/HRB%2012345%20Hamburg?country=DE"]

    vetted = await step(desk, application_id, "assessments", {}, 201)

    kinds = [
        each["particulars"]["kind"]
        for each in (await desk.get(f"/v1/customers/{application_id}/vetting-inputs"))["items"]
    ]
    assert sorted(kinds) == ["credit_report", "foundation"]
    assert vetted["score"] is not None


async def test_an_answer_that_comes_after_the_acceptance_is_the_customers(desk: Credit) -> None:
    application_id = await in_vetting(desk)
    await step(desk, application_id, "bureau-inquiries", None, 202)
    async with transaction(desk.database) as tx:
        taken = await vetting.take_inquiry(tx, 60)
    assert taken is not None
    inquiry, _ = taken
    await step(desk, application_id, "proposal", {"terms": TERMS, "reason": "Sound"})
    terms = await step(desk, application_id, "terms", {}, 201)
    signed = {"accepted_by": "Paul", "accepted_on": terms["made_at"][:10], "sha256": terms["sha256"]}
    customer_id = (await step(desk, application_id, "acceptance", signed))["customer_id"]

    async with transaction(desk.database) as tx:
        await intake.record_answer(tx, inquiry, Asked("not_found", 404, "nobody"))

    kept = await desk.get(f"/v1/bureau-inquiries/{inquiry.id}")
    assert (kept["status"], kept["customer_id"]) == ("not_found", customer_id)
    assert inquiry.customer_id == UUID(application_id)


async def test_the_bureau_is_not_asked_about_who_is_not_being_vetted(desk: Credit) -> None:
    application = await apply(desk)
    answer = await desk.post(f"/v1/applications/{application['id']}/bureau-inquiries", None)
    assert problem(answer, 409) == "application-state"
