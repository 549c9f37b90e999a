"""Customers before a court are left alone; claims that would lapse are somebody's task in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.reminder.authority.rules import Limitations
from services.reminder.legal import rules
from shared.events.invoice import InvoiceAged
from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk
from tests.reminder.facts import CASE, account
from tests.service_client import post, problem

DUE = date(2026, 2, 1)


async def late(desk: Desk) -> tuple[Customer, Invoice]:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    return customer, invoice


async def age(desk: Desk, invoice: Invoice) -> None:
    """The invoice service tells that it is 91 days overdue."""
    await desk.set_clock(datetime(2026, 5, 3, 12, tzinfo=UTC))
    await desk.hear(InvoiceAged(**invoice._next(), episode=1, days_overdue=91))


async def ask(desk: Desk, customer: Customer, kind: str = "insolvency", **more: Any) -> httpx.Response:
    body = {"kind": kind, "opened_on": "2026-02-03", **more}
    return await post(desk.http, f"/v1/cases/{customer.id}/proceedings", body)


@pytest.mark.parametrize(("kind", "waiting"), [("insolvency", "insolvent"), ("legal_action", "legal")])
async def test_nothing_is_sent_to_a_customer_before_a_court(desk: Desk, kind: str, waiting: str) -> None:
    customer, _ = await late(desk)
    made = (await ask(desk, customer, kind, court="AG Hamburg", file_number="67a IN 12/26")).json()
    assert (await desk.get(f"/v1/cases/{customer.id}"))["waiting_because"] == waiting
    await desk.until(date(2026, 3, 20))
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder"]

    closed = await post(desk.http, f"/v1/proceedings/{made['id']}/closure", {"outcome": "withdrawn"})
    assert (closed.json()["status"], closed.json()["closed_on"]) == ("closed", "2026-03-20")
    assert problem(await post(desk.http, f"/v1/proceedings/{made['id']}/closure", {"outcome": "x"}), 409) == (
        "proceeding-closed"
    )
    await desk.until(date(2026, 3, 21))
    assert (await desk.sent())[-1] == ("2026-03-21", "second-reminder")


async def test_a_claim_to_be_filed_is_a_task_for_its_last_day(desk: Desk) -> None:
    customer, _ = await late(desk)
    claim = {"amount": "100.00", "currency": "EUR"}
    made = (await ask(desk, customer, court="AG Hamburg", claim=claim)).json()
    changed = await desk.http.patch(
        f"/v1/proceedings/{made['id']}",
        json={"file_number": "67a IN 12/26", "file_claim_by": "2026-04-15"},
        headers={"if-match": '"1"'},
    )
    assert (changed.json()["court"], changed.json()["file_number"]) == ("AG Hamburg", "67a IN 12/26")
    [task] = (await desk.get("/v1/tasks", kind="court_date"))["items"]
    assert task["title"] == "File 100.00 EUR with AG Hamburg by 2026-04-15"
    assert task["due_on"] == "2026-04-15"
    stale = await desk.http.patch(f"/v1/proceedings/{made['id']}", json={}, headers={"if-match": '"1"'})
    assert problem(stale, 412) == "stale-version"


async def test_one_proceeding_of_a_kind_is_open_at_a_time(desk: Desk) -> None:
    customer, _ = await late(desk)
    assert (await ask(desk, customer)).status_code == 201
    assert problem(await ask(desk, customer), 409) == "proceeding-open"
    assert (await ask(desk, customer, "legal_action")).status_code == 201
    assert problem(await ask(desk, customer, opened_on="2026-02-05"), 422) == "proceeding-day"
    assert problem(await ask(desk, Customer.new()), 404) == "case-not-found"
    assert len((await desk.get("/v1/proceedings", customer_id=customer.id, kind="insolvency"))["items"]) == 1


async def test_somebody_is_warned_months_before_a_claim_lapses(desk: Desk) -> None:
    _, invoice = await late(desk)  # In Germany: from the end of 2026 three years.
    await age(desk, invoice)
    [watched] = (await desk.get("/v1/limitations"))["items"]
    assert (watched["invoice"], watched["lapses_on"], watched["owed"]["amount"]) == ("R-1", "2029-12-31", "100.00")
    assert "BGB" in watched["source"]
    assert (await desk.get("/v1/limitations", until="2029-12-30"))["items"] == []

    await desk.set_clock(datetime.fromisoformat("2029-06-29T23:59:59+00:00"))
    await desk.tick()
    assert (await desk.get("/v1/tasks", kind="limitation"))["items"] == []
    await desk.set_clock(datetime.fromisoformat("2029-06-30T00:00:00+00:00"))
    await desk.tick()
    [task] = (await desk.get("/v1/tasks", kind="limitation"))["items"]
    assert task["title"] == "100.00 EUR on R-1 lapses on 2029-12-31"

    told = await post(
        desk.http,
        f"/v1/limitations/{invoice.id}/interruptions",
        {"kind": "acknowledgement", "on": "2029-06-20", "note": "e-mail of their CFO"},
    )
    assert (told.json()["lapses_on"], told.json()["warned_on"]) == ("2032-06-20", None)
    early = await post(desk.http, f"/v1/limitations/{invoice.id}/interruptions", {"kind": "court", "on": "2029-07-01"})
    assert problem(early, 422) == "limitation-interruption"


async def test_what_is_paid_is_not_warned_of(desk: Desk) -> None:
    _, invoice = await late(desk)
    await age(desk, invoice)
    await desk.hear(*invoice.pay())
    assert (await desk.get("/v1/limitations"))["items"] == []
    await desk.set_clock(datetime.fromisoformat("2029-06-30T00:00:00+00:00"))
    due = await desk.next_due()
    assert due is None or due > await desk.now()


async def test_the_law_may_be_the_sellers_own(desk: Desk) -> None:
    changed = await desk.http.put(
        "/v1/authority/default", json={"limitations": {"governing_law": "FR"}}, headers={"if-match": '"0"'}
    )
    assert changed.status_code == 200
    _, invoice = await late(desk)
    await age(desk, invoice)
    [watched] = (await desk.get("/v1/limitations"))["items"]
    assert (watched["country"], watched["lapses_on"]) == ("FR", "2031-02-01")


async def test_a_country_whose_law_is_not_known_is_not_watched(desk: Desk) -> None:
    customer = await desk.onboard(country="JP")
    invoice = await desk.issue(customer, DUE)
    await age(desk, invoice)
    assert (await desk.get("/v1/limitations"))["items"] == []
    assert {each["country"] for each in (await desk.get("/v1/limitation-periods"))["items"]} >= {"DE", "FR", "GB"}


@pytest.mark.parametrize(
    ("country", "due_on", "lapses_on"),
    [
        ("DE", date(2026, 1, 1), date(2029, 12, 31)),
        ("DE", date(2026, 12, 31), date(2029, 12, 31)),
        ("DE", date(2027, 1, 1), date(2030, 12, 31)),
        ("AT", date(2026, 3, 10), date(2029, 3, 10)),
        ("FR", date(2026, 3, 10), date(2031, 3, 10)),
        ("ES", date(2026, 3, 10), date(2031, 3, 10)),
        ("GB", date(2024, 2, 29), date(2030, 2, 28)),
        ("NL", date(2026, 3, 10), date(2031, 3, 10)),
        ("IT", date(2026, 3, 10), date(2036, 3, 10)),
        ("CH", date(2026, 3, 10), date(2031, 3, 10)),
        ("PL", date(2026, 3, 10), date(2028, 12, 31)),
    ],
)
def test_when_a_claim_lapses_by_country(country: str, due_on: date, lapses_on: date) -> None:
    period = rules.period_of(country, due_on)
    assert period is not None
    assert rules.lapses_on(period, due_on) == lapses_on
    assert period.source


def test_an_interruption_never_shortens_the_period() -> None:
    watched = rules.watch(CASE, "R-1", DUE, account(), Limitations())
    assert watched is not None
    soon = rules.interrupt(
        watched, "part_payment", DUE + timedelta(days=1), None, account(), Limitations(), DUE + timedelta(days=9)
    )
    assert soon.lapses_on == watched.lapses_on
    after = watched.lapses_on + timedelta(days=1)
    with pytest.raises(rules.InterruptionRefused):
        rules.interrupt(watched, "court", after, None, account(), Limitations(), after)
