"""Insolvency and entries of courts hold a customer at once, and no longer than they stand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.credit.client import Credit, problem
from tests.credit.test_holds import held, hold_by, told

PAST = "2011-12-30"


async def at(credit: Credit, day: date) -> None:
    await credit.database.pool.execute("update clock set now = $1", datetime(day.year, day.month, day.day, tzinfo=UTC))
    await credit.tick()


async def learn(credit: Credit, customer_id: str, **particulars: Any) -> None:
    dates = {name: particulars.pop(name) for name in ("dated_on", "expires_on") if name in particulars}
    body = {"source": "register", "dated_on": PAST, **dates, "particulars": particulars}
    answer = await credit.post(f"/v1/customers/{customer_id}/vetting-inputs", body)
    assert answer.status_code == 201, answer.text


def record(entry: str, status: str = "open", reference: str = "HRB 1") -> dict[str, Any]:
    return {"kind": "public_record", "entry": entry, "status": status, "reference": reference}


async def test_an_insolvency_holds_at_once_and_is_released_when_it_is_discharged(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await hold_by(credit, insolvency=True)
    customer = await credit.onboard()

    await learn(credit, customer["id"], **record("insolvency"))
    await credit.tick()

    assert await held(credit, customer["id"]) == "orders invoices"
    assert (await credit.decide(customer["id"], "1.00"))["outcome"] == "referred"
    [hold] = (await credit.get(f"/v1/customers/{customer['id']}/holds"))["items"]
    assert (hold["cause"], hold["reason"]) == ("insolvency_on_record", "Insolvency proceedings are open.")
    answer = await credit.change("DELETE", f"/v1/customers/{customer['id']}/holds/{hold['id']}", hold["version"])
    assert problem(answer, 409) == "cause-persists"

    await learn(credit, customer["id"], **record("insolvency", "discharged"), dated_on="2012-01-02")
    await credit.tick()

    assert await held(credit, customer["id"]) is None
    assert [what for what, _, _ in await told(credit, customer["id"])] == ["credit.hold_placed", "credit.hold_released"]


@pytest.mark.parametrize(("entries", "holds"), [(1, None), (2, "orders invoices"), (3, "orders invoices")])
async def test_court_entries_hold_from_the_number_that_the_policy_names(
    credit_in_2012: Credit, entries: int, holds: str | None
) -> None:
    credit = credit_in_2012
    await hold_by(credit, court_flags_from=2)
    customer = await credit.onboard()

    for number in range(entries):
        await learn(credit, customer["id"], **record("judgment", reference=f"Az. {number}"))
    await learn(credit, customer["id"], **record("insolvency", "discharged"))
    await credit.tick()

    assert await held(credit, customer["id"]) == holds


async def test_an_entry_that_expires_holds_to_its_last_day(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await hold_by(credit, court_flags_from=1)
    customer = await credit.onboard()
    await learn(credit, customer["id"], **record("lien"), expires_on="2012-02-10")
    await credit.tick()

    due = await credit.database.pool.fetchval("select due_at from account_watch")
    assert due == datetime(2012, 2, 11, tzinfo=UTC), "the clock may jump to the very day"
    await at(credit, date(2012, 2, 10))
    assert await held(credit, customer["id"]) == "orders invoices"
    await at(credit, date(2012, 2, 11))

    assert await held(credit, customer["id"]) is None


async def test_what_was_known_before_holds_as_soon_as_the_policy_says_so_and_no_longer(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await learn(credit, customer["id"], kind="credit_report", score=5, insolvency="open", judgments=2)
    await credit.tick()
    assert await held(credit, customer["id"]) is None

    await hold_by(credit, insolvency=True, court_flags_from=3)
    await credit.tick()
    assert [cause for _, cause, _ in await told(credit, customer["id"])] == ["insolvency_on_record"]
    await hold_by(credit)
    await credit.tick()

    assert await held(credit, customer["id"]) is None
