"""Customers who begin to pay later: found by what the invoice service tells, once an episode, with the evidence."""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.local.ledger import load
from services.credit.control_charts.rules import Norm
from services.credit.segment_drifts.rules import CustomerWeek, deviation
from shared.events.event import Event
from tests.bench import drift as bench
from tests.credit.books import Invoice
from tests.credit.client import Credit, problem
from tests.credit.test_behaviour import paid

DAY = timedelta(days=1)
START = date(2012, 1, 3)


async def at(credit: Credit, day: date) -> None:
    """The clock at the start of a day, and all that is due by then done."""
    await credit.database.pool.execute("update clock set now = $1", datetime(day.year, day.month, day.day, tzinfo=UTC))
    await credit.tick()


async def live(credit: Credit, customer_id: str, lates: list[int], first: date = START) -> date:
    """One invoice a week, each due and paid so many days later; returns the day after the last payment."""
    day = first
    for number, late in enumerate(lates):
        invoice = Invoice(UUID(customer_id), 500, due_on=first + timedelta(7 * number))
        day = max(invoice.due_on + timedelta(late), day)
        await at(credit, day)
        await credit.hear(invoice.issue(), paid(invoice, invoice.due_on + timedelta(late)))
    await at(credit, day + DAY)
    return day + DAY


async def told(credit: Credit, customer_id: str) -> list[Any]:
    return [event for event in await credit.published(customer_id) if event["type"].startswith("credit.drift")]


USUAL = [2, -1, 4, 0, 3, -2, 1, 2]


async def test_a_drift_is_told_once_with_its_evidence_and_has_the_customer_assessed_again(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await credit.post(f"/v1/customers/{customer['id']}/assessments", {})

    day = await live(credit, customer["id"], [*USUAL, 25, 28, 30, 31, 29])

    [event] = await told(credit, customer["id"])
    assert event["type"] == "credit.drift_detected"
    drift = event["data"]["drift"]
    assert (drift["version"], drift["status"], drift["own_payments"]) == (1, "drifting", 9)
    points = event["data"]["points"]
    last = points[-1]
    assert float(last["smoothed_days"]) > float(last["limit_days"]) > float(last["expected_days"])
    assert [point["days"] for point in points[:8]] == USUAL
    assert (await credit.get("/v1/drifts"))["items"] == [
        {"customer_id": customer["id"], "status": "drifting", "since": drift["since"]}
    ]
    shown = await credit.get(f"/v1/customers/{customer['id']}/drift")
    assert (shown["status"], len(shown["points"]), shown["own_payments"]) == ("drifting", 13, 9)
    await at(credit, day + DAY)
    newest = (await credit.get(f"/v1/customers/{customer['id']}/assessments"))["items"]
    assert any("drift" in each["because"] for each in newest)


async def test_a_drift_is_over_when_the_customer_is_back_and_the_next_one_is_told_anew(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()

    await live(credit, customer["id"], [*USUAL, 25, 26, 27, *[1] * 10, 25, 26, 28])

    events = await told(credit, customer["id"])
    assert [event["type"].removeprefix("credit.drift_") for event in events] == ["detected", "ended", "detected"]
    assert [event["data"]["drift"]["version"] for event in events] == [1, 2, 3]
    assert events[1]["data"]["outcome"] == "came_back"
    assert len({event["subject"] for event in events}) == 1


async def test_invoices_left_unpaid_are_a_drift_on_the_very_day_on_which_they_are_too_late(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    day = await live(credit, customer["id"], USUAL)
    unpaid = [Invoice(UUID(customer["id"]), 500, due_on=day + timedelta(5 + number)) for number in range(3)]
    await credit.hear(*(invoice.issue() for invoice in unpaid))

    await at(credit, day + timedelta(6))
    due = await credit.database.pool.fetchval("select look_at from payment_drift")
    found_on = due.date()
    assert found_on > day + timedelta(12)
    await at(credit, found_on - DAY)
    assert await told(credit, customer["id"]) == []
    await at(credit, found_on)

    [event] = await told(credit, customer["id"])
    assert event["data"]["drift"]["since"] == str(found_on)
    assert [point["still_open"] for point in event["data"]["points"][-3:]] == [True] * 3


async def test_what_is_disputed_is_not_held_against_the_customer(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    day = await live(credit, customer["id"], USUAL)
    unpaid = [Invoice(UUID(customer["id"]), 500, due_on=day + timedelta(5)) for _ in range(4)]
    await credit.hear(*(invoice.issue() for invoice in unpaid), *(invoice.dispute(500) for invoice in unpaid))

    await at(credit, day + timedelta(60))

    assert await told(credit, customer["id"]) == []


@pytest.mark.parametrize("seed", range(2))
async def test_a_day_heard_of_in_any_order_and_twice_gives_the_same_chart(credit_in_2012: Credit, seed: int) -> None:
    credit, dice = credit_in_2012, random.Random(seed)
    straight, shuffled = await credit.onboard(), await credit.onboard()
    await at(credit, START + timedelta(150))

    def history(customer_id: str) -> list[Event]:
        events: list[Event] = []
        for number, late in enumerate([*USUAL, 25, 27, 26, 1, 28]):
            invoice = Invoice(UUID(customer_id), 500, due_on=START + timedelta(7 * number), id=UUID(int=number + 1))
            invoice.id = UUID(int=number + 1 + UUID(customer_id).int % 2**60 * 100)
            events += [invoice.issue(), paid(invoice, invoice.due_on + timedelta(late))]
        return events

    await credit.hear(*history(straight["id"]))
    other = history(shuffled["id"])
    other += dice.choices(other, k=8)
    dice.shuffle(other)
    while other:
        batch, other = other[: (size := dice.randint(1, 6))], other[size:]
        await credit.hear(*batch)
    await at(credit, START + timedelta(151))

    charts = [await credit.get(f"/v1/customers/{each['id']}/drift") for each in (straight, shuffled)]
    for chart in charts:
        del chart["customer_id"]
        chart["points"] = [{**point, "invoice_id": None} for point in chart["points"]]
    assert charts[0] == charts[1]
    assert charts[0]["since"] == str(START + timedelta(151))


async def test_drifts_are_listed_the_newest_first_and_an_unknown_customer_is_404(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    later, sooner = await credit.onboard(), await credit.onboard()
    await live(credit, sooner["id"], [*USUAL, 25, 28, 30])
    await live(credit, later["id"], [*USUAL, 25, 28, 30], START + timedelta(90))

    first = await credit.get("/v1/drifts", limit=1)
    second = await credit.get("/v1/drifts", limit=1, cursor=first["next_cursor"])

    assert [page["items"][0]["customer_id"] for page in (first, second)] == [later["id"], sooner["id"]]
    assert second["next_cursor"] is None
    nobody = await credit.http.get(f"/v1/customers/{UUID(int=1)}/drift")
    assert problem(nobody, 404) == "drift-unknown"


async def weeks(credit: Credit, customers: list[dict[str, Any]], late_of: list[int], first: date) -> date:
    """Each customer pays once a week; all of them as much later as the week says, besides a scatter of its own."""
    dice, day = random.Random(3), first
    for number, late in enumerate(late_of):
        day = first + timedelta(7 * number)
        await at(credit, day)
        for place, customer in enumerate(customers):
            days = late + place * 2 + dice.randint(-4, 4)
            invoice = Invoice(UUID(customer["id"]), 500, due_on=day - timedelta(days))
            await credit.hear(invoice.issue(), paid(invoice, day))
    return day


async def test_a_segment_that_pays_later_together_is_found_while_each_customer_is_within_its_scatter(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    customers = [await credit.onboard(segment="retail") for _ in range(12)]

    day = await weeks(credit, customers, [0] * 10 + [3] * 4, START)
    await at(credit, day + timedelta(7))

    events = [event for event in await credit.published() if "segment_drift" in event["type"]]
    assert [event["type"] for event in events] == ["credit.segment_drift_detected"]
    drift = events[0]["data"]["drift"]
    assert (drift["segment"], drift["status"], drift["version"]) == ("retail", "drifting", 1)
    assert float(drift["smoothed"]) > float(drift["limit"])
    single = [event for event in await credit.published() if event["type"] == "credit.drift_detected"]
    assert len(single) <= 2
    [shown] = (await credit.get("/v1/segment-drifts"))["items"]
    assert shown["since"] == drift["since"]
    assert shown["mean_days"] == pytest.approx(11 + 3 * 4 / 14, abs=1.0)
    assert [week["payments"] for week in shown["weeks"]] == [12] * 12, "the first two taught what is usual"


@pytest.mark.parametrize(
    ("days", "payments", "expected"),
    [(20, 2, 0.89), (40 / 7 * 2, 2, 0.0), (0, 2, -1.19), (14, 1, 1.29)],
)
def test_a_week_is_held_against_what_the_segments_customers_used_to_do(
    days: float, payments: int, expected: float
) -> None:
    """By hand: 4 payments of 10 days each in a segment of k = 36 / 12 = 3 with a mean of 0 let expect 40 / 7 days; the
    variance of n payments is 36 (n + n^2 / 7)."""
    norm = Norm(mean_days=0.0, within=36.0, between=12.0)
    week = CustomerWeek(earlier_payments=4, earlier_days=40, payments=payments, days=days)  # pyright: ignore[reportArgumentType]

    assert deviation([week], norm) == pytest.approx(expected, abs=0.005)
    assert deviation([week] * 4, norm) == pytest.approx(2 * expected, abs=0.01)
    assert deviation([], norm) == 0.0


async def test_a_segment_with_nothing_paid_any_more_is_no_longer_looked_at(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await live(credit, customer["id"], [0])
    due = "select due_at from segment_round"
    assert await credit.database.pool.fetchval(due) == datetime(2012, 1, 9, tzinfo=UTC)

    await at(credit, date(2014, 2, 3))

    assert await credit.database.pool.fetchval(due) is None


def test_on_a_ledger_with_known_drifters_the_chart_has_fewer_false_alarms_than_three_late_in_a_row() -> None:
    """The bench itself, on two generated years; the definitions stand in docs/credit.md."""
    worst, alarms, by_chance = bench.measure(bench.generated(seed=2, customers=40))

    chart, naive = (bench.judge(alarms[rule], worst) for rule in ("control chart", "three late in a row"))

    assert worst
    assert chart.false_percent < min(naive.false_percent, by_chance)
    assert len(chart.warnings) >= len(naive.warnings)


PUBLISHED = (
    Path(os.environ.get("DUEWARD_SHARED") or Path(__file__).parents[2].parent / "shared") / "data/late-payments.csv"
)


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"the published ledger is not at {PUBLISHED}")
def test_on_the_published_ledger_the_figures_are_those_of_the_documentation() -> None:
    worst, alarms, by_chance = bench.measure(load(PUBLISHED))
    chart, naive = (bench.judge(alarms[rule], worst) for rule in ("control chart", "three late in a row"))

    assert (len(worst), round(by_chance)) == (21, 92)
    assert [(rule.alarms, round(rule.false_percent), rule.unwarned) for rule in (chart, naive)] == [
        (17, 65, 15),
        (94, 89, 12),
    ]
