"""Which selling entity looks after a customer: what is written to it goes out in that one's name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from email.utils import parseaddr
from pathlib import Path

import pytest

from services.credit.ticks import plan_limit_letters, send_limit_letters
from shared.db import Database
from tests.browser import needs_chromium
from tests.credit.applications import TERMS, apply, step
from tests.credit.client import Credit, names, problem
from tests.credit.desk import Desk
from tests.credit.onboarding import onboarding, send_mails
from tests.credit.test_agreements import signed
from tests.credit.test_limit_letters import letters, set_limit, working, write_by
from tests.mailbox import Mailbox


@pytest.fixture
async def credit(credit_database: Database, keys_folder: Path, token: Callable[..., str]) -> AsyncIterator[Credit]:
    """With an invoice service that has two selling entities, `default` and `iberia`."""
    async with onboarding(credit_database, keys_folder, token()) as service:
        yield service


async def look_after(credit: Credit, customer_id: str, entity_id: str = "iberia", version: int = 0) -> None:
    answer = await credit.change("PUT", f"/v1/customers/{customer_id}/seller", version, {"entity_id": entity_id})
    assert answer.status_code == 200, answer.text


async def send_letters(credit: Credit, smtp: Mailbox) -> None:
    async with working(credit, smtp) as context:
        while await plan_limit_letters(context) or await send_limit_letters(context):
            pass


async def test_letters_go_out_in_the_name_of_the_entity_that_looks_after_the_customer(
    credit: Credit, smtp: Mailbox
) -> None:
    await write_by(credit)
    ours, theirs = await credit.onboard(), await credit.onboard()
    await look_after(credit, theirs["id"])
    for each in (ours, theirs):
        await set_limit(credit, each["id"], "20000.00")

    await send_letters(credit, smtp)

    told = {parseaddr(mail["From"])[0]: mail for mail in smtp.messages}
    assert set(told) == {"Hansa Supply GmbH", "Hansa Iberia S.L."}
    assert [told[name]["Reply-To"] for name in sorted(told)] == ["credito@iberia.example", "credit@hansa.example"]
    assert told["Hansa Iberia S.L."]["Subject"] == "Ihr Kreditlimit bei Hansa Iberia S.L."
    body = told["Hansa Iberia S.L."].get_body(("plain",))
    assert body is not None
    assert "Lucía Ortiz" in body.get_content()
    assert "Maren Voss" not in body.get_content()


async def test_an_entity_that_nobody_knows_just_now_holds_back_its_own_letters_alone(
    credit: Credit, smtp: Mailbox
) -> None:
    await write_by(credit)
    ours, theirs = await credit.onboard(), await credit.onboard()
    await look_after(credit, theirs["id"])
    await credit.database.pool.execute("update assigned_seller set entity_id = 'gone'")
    for each in (ours, theirs):
        await set_limit(credit, each["id"], "20000.00")

    await send_letters(credit, smtp)

    assert [parseaddr(mail["From"])[0] for mail in smtp.messages] == ["Hansa Supply GmbH"]
    states = {each["customer_id"]: each["status"] for each in await letters(credit)}
    assert states == {ours["id"]: "sent", theirs["id"]: "planned"}


async def test_an_applicant_is_invited_and_welcomed_by_the_entity_that_will_look_after_it(
    credit: Credit, smtp: Mailbox
) -> None:
    invited = await apply(credit)
    await step(credit, invited["id"], "invitations", {"entity_id": "iberia"}, 202)
    await step(credit, invited["id"], "invitations", {}, 202)
    for name, body in (("submission", None), ("vetting", None), ("proposal", {"terms": TERMS, "reason": "Sound"})):
        await step(credit, invited["id"], name, body)

    terms = await step(credit, invited["id"], "terms", {}, 201)
    accepted = await step(credit, invited["id"], "acceptance", signed(terms))
    while await send_mails(credit.database, smtp):
        pass

    assert terms["seller"] == "Hansa Iberia S.L."
    assert {parseaddr(mail["From"])[0] for mail in smtp.messages} == {"Hansa Iberia S.L."}
    assert {mail["Reply-To"] for mail in smtp.messages} == {"credito@iberia.example"}
    assert len(smtp.messages) == 4
    seller = await credit.get(f"/v1/customers/{accepted['customer_id']}/seller")
    assert (seller["entity_id"], seller["version"], seller["changed_by"]) == ("iberia", 1, "anna")


async def test_only_an_entity_that_there_is_and_nobody_overwrites_another(credit: Credit) -> None:
    customer = (await credit.onboard())["id"]
    path = f"/v1/customers/{customer}/seller"
    assert (await credit.get(path))["entity_id"] == "default"
    assert list(names(await credit.change("PUT", path, 0, {"entity_id": "nobody"}))) == ["#/entity_id"]
    assert list(names(await credit.change("PUT", path, 0, {"entity_id": "a/b"}))) == ["#/entity_id"]
    assert problem(await credit.change("PUT", path, None, {"entity_id": "iberia"}), 428)
    await look_after(credit, customer)
    assert problem(await credit.change("PUT", path, 0, {"entity_id": "default"}), 412) == "stale-version"
    await look_after(credit, customer, "iberia", 1)
    assert (await credit.get(path))["version"] == 1, "what is already so is no change"
    await look_after(credit, customer, "default", 1)
    nobody = "/v1/customers/00000000-0000-0000-0000-000000000000/seller"
    assert problem(await credit.change("PUT", nobody, 0, {"entity_id": "iberia"}), 404) == "customer-not-found"
    assert problem(await credit.http.get(nobody), 404) == "customer-not-found"


@needs_chromium
async def test_a_person_has_another_entity_look_after_a_customer(desk: Desk) -> None:
    customer = (await desk.credit.onboard())["id"]
    tab = await desk.tab("ben", width=390)
    reader = await desk.tab("rea", "customers:read credit:read credit:write")
    for entity, said in (("nobody", "There is no selling entity 'nobody'"), ("iberia", "in the name of that entity")):
        await tab.go(f"/customers/{customer}")
        await tab.page.click("text=Have another entity look after it")
        await tab.page.fill("[name=entity]", entity)
        await tab.press("Write in its name")
        assert said in await tab.text()
    tab.complaints.clear()  # The browser notes the refusal's status.
    assert "Written to by iberia" in await tab.text("[aria-labelledby=h-about]")
    await reader.go(f"/customers/{customer}")
    assert "Have another entity" not in await reader.text()
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    url = f"{desk.url}/customers/{customer}/seller"
    assert (await reader.page.request.post(url, form={"version": 1}, headers=same)).status == 403
