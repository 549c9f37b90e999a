"""What the team has done, counted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.reminder.team_figures import rules
from services.reminder.team_figures.rules import Figures
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep, post


@pytest.mark.parametrize(
    ("kept", "broken", "percent"), [(0, 0, None), (0, 1, "0.0"), (1, 0, "100.0"), (2, 1, "66.7"), (1, 7, "12.5")]
)
def test_the_share_of_promises_kept_is_of_those_that_were_judged(kept: int, broken: int, percent: str | None) -> None:
    figures = Figures("ada", "Ada", promises_made=9, promises_kept=kept, promises_broken=broken)
    assert figures.kept_percent == (None if percent is None else Decimal(percent))


def test_the_team_is_the_sum_of_everybody() -> None:
    team = rules.total([Figures("ada", "Ada", calls=3, conversations=1), Figures(None, None, calls=1, tasks_open=2)])
    assert (team.calls, team.tasks_open, team.reached_percent) == (4, 2, Decimal("25.0"))


async def test_calls_notes_and_tasks_are_counted_where_they_fall_and_open_tasks_go_to_the_owner(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 2))
    await keep(desk, "ada", name="Ada")
    account = {"customer_id": str(customer.id)}
    await post(desk, "/v1/worklist/assignments", {"accounts": [account], "owner": "ada"})
    for outcome in ("no_answer", "spoke"):
        await post(desk, f"/v1/cases/{customer.id}/calls", {"outcome": outcome}, 201)
    await post(desk, f"/v1/cases/{customer.id}/notes", {"body": "Leave them be", "asks_for_pause": True}, 201)
    figures = await desk.get("/v1/team-figures", since="2026-02-02", until="2026-02-02")
    ada, caller = figures["items"]
    assert (ada["subject"], ada["accounts"], ada["tasks_open"], ada["tasks_late"]) == ("ada", 1, 1, 0)
    assert (caller["calls"], caller["conversations"], caller["reached_percent"], caller["notes"]) == (2, 1, "50.0", 1)
    assert figures["team"]["calls"] == 2
    assert (await desk.get("/v1/team-figures", since="2026-02-03"))["team"]["calls"] == 0
    await desk.until(date(2026, 2, 3))
    assert (await desk.get("/v1/team-figures"))["team"]["tasks_late"] == 1
