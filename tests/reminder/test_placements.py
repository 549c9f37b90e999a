"""An account goes to a collection agency: asked for by one person, approved by another, taken back when paid."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import httpx

from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk
from tests.service_client import post, problem

DUE = date(2026, 2, 1)
OLD = date(2026, 5, 3)  # The 91st day after.
RATES = [{"days_from": 0, "percent": "15"}, {"days_from": 181, "percent": "25"}]
AGENCY = {"name": "Northern Collect", "commission": RATES}


async def old_account(desk: Desk, until: date = OLD) -> tuple[Customer, Invoice]:
    kept = await desk.http.put("/v1/agencies/northern", json=AGENCY, headers={"if-none-match": "*"})
    assert kept.status_code == 200, kept.text
    customer = await desk.onboard(name="=Acme GmbH")
    invoice = await desk.issue(customer, DUE, minor=12_345)
    await desk.until(until)
    return customer, invoice


async def ask(desk: Desk, customer: Customer, **more: Any) -> httpx.Response:
    return await post(desk.http, f"/v1/cases/{customer.id}/placements", {"agency_id": "northern", **more})


async def decide(desk: Desk, placement: Any, what: str, by: dict[str, str] | None = None) -> httpx.Response:
    path = f"/v1/placements/{placement['id']}/{what}"
    body = {"reason": "as agreed"} if what in ("recall", "closure") else {}
    return await desk.http.post(path, json=body, headers={"idempotency-key": str(uuid4()), **(by or {})})


async def placed(desk: Desk, customer: Customer, by: dict[str, str]) -> Any:
    asked = (await ask(desk, customer)).json()
    assert (await decide(desk, asked, "approval", by)).status_code == 201
    await desk.tick()
    return await desk.get(f"/v1/placements/{asked['id']}")


async def pay(desk: Desk, invoice: Invoice, minor: int | None = None) -> None:
    today = (await desk.now()).date()
    await desk.hear(*(event.model_copy(update={"effective_on": today}) for event in invoice.pay(minor)))


async def told(desk: Desk) -> list[str]:
    return [kind for kind in await desk.types() if kind.startswith("placement.")]


async def test_two_people_hand_an_account_over_with_its_documents(desk: Desk, bert: dict[str, str]) -> None:
    customer, invoice = await old_account(desk)
    asked = (await ask(desk, customer, note="nobody answers")).json()
    assert (asked["status"], asked["requested_by"], asked["amount"]["amount"]) == ("requested", "anna", "123.45")
    [task] = (await desk.get("/v1/tasks", kind="approval_wanted"))["items"]
    assert task["title"] == "Approve that 123.45 EUR goes to Northern Collect"
    assert problem(await decide(desk, asked, "approval"), 409) == "second-person-needed"
    assert problem(await desk.http.get(f"/v1/placements/{asked['id']}/file"), 404) == "placement-not-found"

    approved = (await decide(desk, asked, "approval", bert)).json()
    assert (approved["status"], approved["decided_by"]) == ("approved", "bert")
    await desk.tick()
    handed = await desk.get(f"/v1/placements/{asked['id']}")
    assert (handed["status"], handed["placed_on"]) == ("placed", "2026-05-03")
    assert await told(desk) == ["placement.made"]

    file = await desk.http.get(f"/v1/placements/{asked['id']}/file")
    assert file.headers["content-type"] == "application/zip"
    folder = zipfile.ZipFile(io.BytesIO(file.content))
    assert folder.namelist() == ["claims.csv", "claims.json", "documents/R-1.pdf"]
    assert folder.read("documents/R-1.pdf") == f"%PDF-1.7 /v1/invoices/{invoice.id}/document.pdf".encode()
    [row] = csv.DictReader(io.StringIO(folder.read("claims.csv").decode("utf-8-sig")))
    assert (row["invoice"], row["amount"], row["currency"], row["days_overdue"]) == ("R-1", "123.45", "EUR", "91")
    assert row["customer"] == "'=Acme GmbH"  # No formula in the agency's spreadsheet.


async def test_the_customer_is_not_contacted_meanwhile(desk: Desk, bert: dict[str, str]) -> None:
    customer, _ = await old_account(desk)
    before = len(await desk.sent())
    await placed(desk, customer, bert)
    await desk.issue(customer, date(2026, 6, 20), "R-2")
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert case["waiting_because"] == "placed"
    await desk.until(date(2026, 7, 20))
    assert len(await desk.sent()) == before


async def test_it_is_recalled_by_itself_when_all_of_it_is_paid(desk: Desk, bert: dict[str, str]) -> None:
    customer, invoice = await old_account(desk)
    made = await placed(desk, customer, bert)
    await pay(desk, invoice, 10_000)
    so_far = await desk.get(f"/v1/placements/{made['id']}")
    assert (so_far["status"], so_far["collected"]["amount"], so_far["commission"]["amount"]) == (
        "placed",
        "100.00",
        "15.00",
    )
    await pay(desk, invoice)
    ended = await desk.get(f"/v1/placements/{made['id']}")
    assert (ended["status"], ended["because"], ended["collected"]["amount"]) == ("recalled", "paid", "123.45")
    assert ended["commission"]["amount"] == "18.52"  # 18.5175, once, half to even.
    assert await told(desk) == ["placement.made", "placement.recalled"]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["waiting_because"] == "nothing_collectable"


async def test_recalled_or_given_back_the_case_goes_on(desk: Desk, bert: dict[str, str]) -> None:
    customer, _ = await old_account(desk)
    made = await placed(desk, customer, bert)
    recalled = (await decide(desk, made, "recall")).json()
    assert (recalled["status"], recalled["because"]) == ("recalled", "as agreed")
    assert problem(await decide(desk, made, "closure"), 409) == "placement-status"
    again = await placed(desk, customer, bert)
    assert (await decide(desk, again, "closure")).json()["status"] == "closed"
    assert await told(desk) == ["placement.made", "placement.recalled", "placement.made", "placement.closed"]


async def test_a_disputed_account_is_refused(desk: Desk, bert: dict[str, str]) -> None:
    customer, _ = await old_account(desk)
    other = await desk.issue(customer, date(2026, 4, 1), "R-2")
    await desk.until(date(2026, 5, 4))
    asked = (await ask(desk, customer)).json()
    await desk.hear(other.dispute())
    assert problem(await decide(desk, asked, "approval", bert), 409) == "placement-disputed"
    assert (await decide(desk, asked, "rejection", bert)).json()["status"] == "rejected"
    refused = await ask(desk, customer)
    assert problem(refused, 409) == "placement-disputed"
    assert "R-2 is disputed" in refused.json()["detail"]


async def test_what_is_disputed_or_paid_before_it_is_handed_over_stays_here(desk: Desk, bert: dict[str, str]) -> None:
    customer, invoice = await old_account(desk)
    desk.invoice_service.down = True
    asked = (await ask(desk, customer)).json()
    await decide(desk, asked, "approval", bert)
    await desk.tick()
    assert (await desk.get(f"/v1/placements/{asked['id']}"))["status"] == "approved"
    desk.invoice_service.down = False
    events = invoice.pay()
    await desk.tick()
    kept = await desk.get(f"/v1/placements/{asked['id']}")
    assert (kept["status"], kept["because"]) == ("withdrawn", "nothing of it may be collected any more")
    await desk.hear(*events)
    assert await told(desk) == []


async def test_what_cannot_be_asked_for(desk: Desk) -> None:
    customer, _ = await old_account(desk, date(2026, 5, 2))
    assert problem(await ask(desk, customer), 422) == "placement-too-early"
    assert problem(await ask(desk, customer, items=["R-9"]), 422) == "placement-invoice"
    assert problem(await ask(desk, customer, agency_id="nobody"), 404) == "agency-not-found"
    assert problem(await ask(desk, Customer.new()), 404) == "case-not-found"
    assert problem(await ask(desk, await desk.onboard()), 409) == "case-closed"
    await desk.until(OLD)
    asked = (await ask(desk, customer)).json()
    assert problem(await ask(desk, customer), 409) == "already-placed"
    assert (await decide(desk, asked, "rejection")).json()["status"] == "withdrawn"
    assert (await ask(desk, customer)).status_code == 201


async def test_approving_takes_a_scope_of_its_own(desk: Desk, token: Callable[..., str]) -> None:
    customer, _ = await old_account(desk)
    asked = (await ask(desk, customer)).json()
    collector = {"authorization": f"Bearer {token('reminders:read reminders:write', 'carl')}"}
    assert problem(await decide(desk, asked, "approval", collector), 403) == "forbidden"


async def test_commissions_begin_at_nothing_and_rise(desk: Desk) -> None:
    bad = {"name": "X", "commission": [{"days_from": 30, "percent": "10"}]}
    answer = await desk.http.put("/v1/agencies/x", json=bad, headers={"if-none-match": "*"})
    assert problem(answer, 422) == "agency-commission"
    bad["commission"] = [{"days_from": 0, "percent": "10"}, {"days_from": 0, "percent": "12"}]
    answer = await desk.http.put("/v1/agencies/x", json=bad, headers={"if-none-match": "*"})
    assert answer.json()["errors"][0]["pointer"] == "#/commission/1/days_from"
    assert (await desk.get("/v1/agencies"))["items"] == []
