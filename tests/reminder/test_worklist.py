"""Which account a collector looks at first, and what the list says to do there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.worklist import rules
from services.reminder.worklist.rules import Action, Entry
from shared.money import Money
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep, post

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DUE = date(2026, 2, 1)


def an_account(days: int = 10, **changes: object) -> Entry:
    entry = Entry(
        customer_id=UUID(int=1),
        entity_id="default",
        points=0.0,
        name="Acme",
        external_id="C-1",
        segment=None,
        risk_class=None,
        time_zone="UTC",
        owed=(Money(100_00, "EUR"),),
        invoices=1,
        oldest_due_on=NOW.date() - timedelta(days=days),
        place=0.5,
        disputed=0,
        broken_promises=0,
        spoken_at=None,
        has_email=True,
        has_phone=True,
        owner=None,
        snoozed_until=None,
        holds=(),
        step=None,
        check_at=None,
        tasks=(),
    )
    return replace(entry, **changes)


def points(entry: Entry) -> dict[str, float]:
    return {part.part: part.points for part in rules.parts(entry, NOW)}


@pytest.mark.parametrize(
    ("entry", "part", "worth"),
    [
        (an_account(place=0.0), "balance", 0),
        (an_account(place=1.0), "balance", 40),
        (an_account(0), "age", 0),
        (an_account(45), "age", 10),
        (an_account(89), "age", 19.8),
        (an_account(90), "age", 20),
        (an_account(91), "age", 20),
        (an_account(risk_class="A"), "risk", 0),
        (an_account(risk_class="E"), "risk", 15),
        (an_account(), "risk", 6),
        (an_account(broken_promises=2), "promises", 10),
        (an_account(broken_promises=3), "promises", 15),
        (an_account(broken_promises=4), "promises", 15),
        (an_account(spoken_at=NOW), "effect", 0),
        (an_account(spoken_at=NOW - timedelta(days=7)), "effect", 5),
        (an_account(spoken_at=NOW - timedelta(days=14)), "effect", 10),
        (an_account(), "effect", 10),
    ],
)
def test_each_part_of_an_accounts_points_is_a_plain_proportion(entry: Entry, part: str, worth: float) -> None:
    assert points(entry)[part] == worth


@pytest.mark.parametrize(
    ("entry", "action"),
    [
        (an_account(tasks=("call", "reply")), Action.READ_REPLY),
        (an_account(tasks=("promise_broken", "unreachable")), Action.FIND_ADDRESS),
        (an_account(tasks=("promise_broken",)), Action.ASK_ABOUT_PROMISE),
        (an_account(tasks=("call_back",)), Action.CALL_BACK),
        (an_account(tasks=("agency_referral",)), Action.PLACE),
        (an_account(holds=(Hold(HoldKind.PROMISED, NOW.date(), "1", ""),)), Action.WAIT),
        (an_account(120, holds=(Hold(HoldKind.PLACED, None, "1", ""),)), Action.WAIT),
        (an_account(91, holds=(Hold(HoldKind.PAUSED, NOW.date() - timedelta(days=1), "1", ""),)), Action.CALL),
        (an_account(owed=(), disputed=1), Action.SOLVE_DISPUTE),
        (an_account(90), Action.WAIT),
        (an_account(91), Action.CALL),
        (an_account(91, spoken_at=NOW - timedelta(days=6)), Action.WAIT),
        (an_account(91, spoken_at=NOW - timedelta(days=7)), Action.CALL),
        (an_account(14, place=0.8), Action.WAIT),
        (an_account(15, place=0.8), Action.CALL),
        (an_account(15, place=0.79), Action.WAIT),
    ],
)
def test_the_next_best_action(entry: Entry, action: Action) -> None:
    assert rules.next_action(entry, NOW).action is action


def test_a_call_comes_with_what_to_say_and_what_may_be_offered() -> None:
    advice = rules.next_action(an_account(91, disputed=1, broken_promises=1), NOW)
    said = " ".join(advice.say)
    assert "EUR" in said
    assert "promise that was not kept" in said
    assert "disputed" in said
    assert len(advice.offer) == 3
    assert rules.next_action(an_account(tasks=("unreachable",)), NOW).say == ()


async def test_the_list_is_ordered_by_the_points_that_each_account_shows(desk: Desk) -> None:
    for minor, due in [(50_000, DUE), (10_000, DUE), (90_000, date(2026, 2, 20)), (10_000, date(2026, 1, 5))]:
        await desk.issue(await desk.onboard(), due, number=f"R-{minor}-{due}", minor=minor)
    await desk.until(date(2026, 2, 25))
    listed = (await desk.get("/v1/worklist"))["items"]
    assert len(listed) == 4
    assert all(earlier["points"] >= later["points"] for earlier, later in pairwise(listed))
    for account in listed:
        assert account["points"] == pytest.approx(sum(part["points"] for part in account["parts"]), abs=0.2)
    assert listed[0]["overdue"] == [{"amount": "900.00", "currency": "EUR"}]

    first = await desk.get("/v1/worklist", limit=1)
    second = await desk.get("/v1/worklist", limit=3, cursor=first["next_cursor"])
    assert [each["customer_id"] for each in first["items"] + second["items"]] == [a["customer_id"] for a in listed]
    assert second["next_cursor"] is None


async def test_an_account_is_one_entry_whatever_it_owes_and_settled_ones_are_gone(desk: Desk) -> None:
    customer = await desk.onboard()
    invoices = [await desk.issue(customer, DUE, number=f"R-{n}") for n in range(3)]
    await desk.until(date(2026, 2, 3))
    (entry,) = (await desk.get("/v1/worklist"))["items"]
    assert (entry["invoices"], entry["days_overdue"], entry["step"]) == (3, 2, "first-reminder")
    await desk.hear(*(event for invoice in invoices for event in invoice.pay()))
    assert (await desk.get("/v1/worklist"))["items"] == []


async def test_accounts_are_assigned_and_put_off_many_at_once_and_covered_while_somebody_is_away(desk: Desk) -> None:
    customers = [await desk.onboard() for _ in range(3)]
    for number, customer in enumerate(customers):
        await desk.issue(customer, DUE, number=f"R-{number}")
    await desk.until(date(2026, 2, 3))
    await keep(desk, "bea", name="Bea")
    await keep(desk, "ada", name="Ada", absent_from="2026-02-05", absent_until="2026-02-05", cover="bea")
    theirs = [{"customer_id": str(customer.id)} for customer in customers[:2]]
    assert await post(desk, "/v1/worklist/assignments", {"accounts": theirs, "owner": "ada"}) == {"accounts": 2}

    async def seen_by(owner: str, **query: object) -> set[str]:
        return {each["customer_id"] for each in (await desk.get("/v1/worklist", owner=owner, **query))["items"]}

    mine = {account["customer_id"] for account in theirs}
    assert await seen_by("ada") == mine
    assert await seen_by("bea") == set()
    assert await seen_by("bea", nobodys=True) == {str(customers[2].id)}

    await post(desk, "/v1/worklist/snoozes", {"accounts": theirs[:1], "until": "2026-02-04", "because": "lunch"})
    assert await seen_by("ada") == mine - {theirs[0]["customer_id"]}
    assert await seen_by("ada", snoozed=True) == mine
    await desk.until(date(2026, 2, 4))
    assert await seen_by("ada") == mine
    await desk.until(date(2026, 2, 5))
    assert await seen_by("bea") == mine
    assert await seen_by("ada") == set()


async def test_one_stranger_among_many_accounts_leaves_all_as_they_were(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 3))
    await keep(desk, "ada", name="Ada")
    accounts = [{"customer_id": str(customer.id)}, {"customer_id": str(uuid4())}]
    await post(desk, "/v1/worklist/assignments", {"accounts": accounts, "owner": "ada"}, 404)
    await post(desk, "/v1/worklist/assignments", {"accounts": accounts[:1], "owner": "zoe"}, 404)
    await post(desk, "/v1/worklist/snoozes", {"accounts": accounts[:1], "until": "2026-02-03"}, 422)
    (entry,) = (await desk.get("/v1/worklist"))["items"]
    assert (entry["owner"], entry["snoozed_until"]) == (None, None)
