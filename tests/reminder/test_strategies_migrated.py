"""Running cases go on with another version of their strategy: where they land, and what comes next."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.strategies.rules import Strategy, parse
from services.reminder.strategy_migrations.rules import Landing, land
from tests.reminder.desk import Desk
from tests.reminder.facts import DOCUMENT
from tests.reminder.test_strategies import put


def ladder(*steps: tuple[str, int]) -> Strategy:
    written = "".join(
        f"  - {{name: {name}, days_from_due: {day}, channel: email, tone: firm, template: firm-reminder}}\n"
        for name, day in steps
    )
    return parse(f"name: x\ntitle: X\nsteps:\n{written}")


OLD = ladder(("soon", -7), ("ask", 1), ("again", 7), ("firm", 15), ("last", 30))


@pytest.mark.parametrize(
    ("new", "level", "landing"),
    [
        (OLD, 0, Landing(0, None, "start")),
        (OLD, 1, Landing(1, "ask", "name")),
        (OLD, 4, Landing(4, "last", "name")),
        # Moved to other days, or to another place: the name decides.
        (ladder(("ask", 3), ("again", 20)), 2, Landing(2, "again", "name")),
        (ladder(("again", 1), ("ask", 7)), 1, Landing(2, "ask", "name")),
        # A step is put in before, or left out.
        (ladder(("ask", 1), ("ring", 4), ("again", 7)), 2, Landing(3, "again", "name")),
        (ladder(("ask", 1), ("firm", 15)), 3, Landing(2, "firm", "name")),
        # Nothing has that name: the last step that would have been taken on its day, below, at and above.
        (ladder(("a", 1), ("b", 6), ("c", 16)), 3, Landing(2, "b", "days")),
        (ladder(("a", 1), ("b", 15), ("c", 16)), 3, Landing(2, "b", "days")),
        (ladder(("a", 1), ("b", 14), ("c", 15)), 3, Landing(3, "c", "days")),
        (ladder(("a", 16), ("b", 20)), 3, Landing(0, None, "days")),
        (ladder(("a", 15), ("b", 20)), 3, Landing(1, "a", "days")),
        (ladder(("a", 14), ("b", 20)), 3, Landing(1, "a", "days")),
        # The message before due is no rung.
        (ladder(("early", -3), ("a", 1)), 1, Landing(1, "a", "days")),
        (ladder(("ask", -3), ("a", 1)), 1, Landing(1, "a", "days")),
    ],
)
def test_a_case_keeps_its_place_by_name_or_else_by_days(new: Strategy, level: int, landing: Landing) -> None:
    assert land(OLD, new, level) == landing


def test_days_after_the_previous_step_count_from_the_earliest_day_of_that() -> None:
    after = parse(
        "name: x\ntitle: X\nsteps:\n"
        "  - {name: a, days_from_due: 10, channel: email, tone: firm, template: firm-reminder}\n"
        "  - {name: b, days_after_previous: 5, channel: email, tone: firm, template: firm-reminder}\n"
        "  - {name: c, days_after_previous: 1, channel: email, tone: firm, template: firm-reminder}\n"
    )
    assert land(OLD, after, 3) == Landing(2, "b", "days")


ladders = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.integers(1, 90)),
    min_size=1,
    max_size=8,
    unique_by=(lambda s: s[0], lambda s: s[1]),
).map(lambda steps: ladder(*sorted(steps, key=lambda step: step[1])))


@given(ladders, ladders, st.data())
def test_a_case_lands_on_a_rung_there_is_and_never_further_than_its_days(
    old: Strategy, new: Strategy, data: Any
) -> None:
    level = data.draw(st.integers(0, len(old.rungs)))
    landing = land(old, new, level)
    assert 0 <= landing.level <= len(new.rungs)
    assert landing.step == (new.rungs[landing.level - 1].name if landing.level else None)
    if landing.by == "days" and landing.level:
        days = new.rungs[landing.level - 1].days_from_due, old.rungs[level - 1].days_from_due
        assert days[0] is not None
        assert days[1] is not None
        assert days[0] <= days[1]


@given(ladders, st.data())
def test_moving_to_the_same_steps_changes_nothing(same: Strategy, data: Any) -> None:
    level = data.draw(st.integers(0, len(same.rungs)))
    assert land(same, same, level).level == level


FASTER = DOCUMENT.replace("days_from_due: 15\n", "days_from_due: 10\n")


async def migrate(
    desk: Desk, key: str, *, preview: bool, query: str = "", versions: dict[str, int] | None = None
) -> httpx.Response:
    said = {"from_version": 1, "to_version": 2, **(versions or {}), "preview": preview}
    url = f"/v1/strategies/default/migrations{query}"
    return await desk.http.post(url, json=said, headers={"idempotency-key": key})


async def test_a_preview_lists_every_case_and_moves_nothing_then_the_move_takes_effect(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 9))
    assert (await put(desk, "default", FASTER, if_match='"1"')).status_code == 200

    previewed = (await migrate(desk, "look", preview=True)).json()
    assert (previewed["moving"], previewed["staying"], previewed["still_running"]) == (1, 0, 1)
    (case,) = previewed["cases"]
    assert case["customer_id"] == str(customer.id)
    assert case["stands_on"] == case["lands_on"] == {"level": 2, "step": "second-reminder"}
    assert (case["found_by"], case["next_step"], case["next_on"]) == ("name", "firm-reminder", "2026-02-13")
    assert (await desk.get(f"/v1/cases/{customer.id}"))["strategy_version"] == 1
    assert (await desk.types())[-1] != "case.moved"

    moved = (await migrate(desk, "move", preview=False)).json()
    assert (moved["cases"], moved["still_running"]) == (previewed["cases"], 0)
    assert (await desk.get(f"/v1/cases/{customer.id}"))["strategy_version"] == 2
    assert (await desk.types())[-1] == "case.moved"
    assert (await migrate(desk, "move", preview=False)).json() == moved
    assert (await migrate(desk, "again", preview=False)).json()["cases"] == []

    await desk.until(date(2026, 2, 14))
    assert (await desk.sent())[-1] == ("2026-02-13", "firm-reminder")


async def test_a_step_that_was_sent_is_not_sent_again_under_another_name(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 9))
    renamed = DOCUMENT.replace("name: second-reminder", "name: another-reminder")
    await put(desk, "default", renamed, if_match='"1"')
    (case,) = (await migrate(desk, "move", preview=False)).json()["cases"]
    assert (case["found_by"], case["lands_on"]) == ("days", {"level": 2, "step": "another-reminder"})
    before = len(await desk.sent())
    await desk.until(date(2026, 2, 17))
    assert [step for _, step in (await desk.sent())[before:]] == ["firm-reminder"]


async def test_cases_are_moved_a_page_at_a_time(desk: Desk) -> None:
    customers = [await desk.onboard() for _ in range(3)]
    for number, customer in enumerate(customers):
        await desk.issue(customer, date(2026, 2, 1), f"R-{number}")
    await desk.until(date(2026, 2, 3))
    await put(desk, "default", FASTER, if_match='"1"')
    first = (await migrate(desk, "a", preview=False, query="?limit=2")).json()
    assert (first["moving"], first["still_running"], bool(first["next_cursor"])) == (2, 1, True)
    rest = (await migrate(desk, "b", preview=False, query=f"?limit=2&cursor={first['next_cursor']}")).json()
    assert (rest["moving"], rest["still_running"], rest["next_cursor"]) == (1, 0, None)


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"to_version": 1}, 422, "strategy-version-same"),
        ({"to_version": 9}, 404, "strategy-not-found"),
        ({"from_version": 9, "to_version": 1}, 404, "strategy-not-found"),
        ({"from_version": 0}, 422, "invalid-request"),
    ],
)
async def test_versions_that_are_not_there_are_refused(
    desk: Desk, body: dict[str, int], status: int, slug: str
) -> None:
    answer = await migrate(desk, "x", preview=True, versions=body)
    assert answer.status_code == status
    assert answer.json()["type"].rpartition("/")[2].startswith(slug)


async def test_a_trial_is_followed_from_case_to_comparison(desk: Desk) -> None:
    assert (await desk.http.get("/v1/strategies/default/comparison")).status_code == 404
    rival = DOCUMENT.replace("name: default", "name: rival").replace(
        "catch_up:", "challenger: {of: default, share_percent: 50}\ncatch_up:"
    )
    assert (await put(desk, "rival", rival, if_none_match="*")).status_code == 201
    customers = [await desk.onboard() for _ in range(8)]
    invoices = [await desk.issue(each, date(2026, 2, 1), f"R-{n}") for n, each in enumerate(customers)]
    await desk.until(date(2026, 2, 4))
    for invoice in invoices[:4]:
        await desk.hear(*invoice.pay())
    await desk.until(date(2026, 4, 10))
    told = await desk.get("/v1/strategies/rival/comparison")
    assert told == await desk.get("/v1/strategies/default/comparison")
    assert (told["champion"], told["challenger"], told["active"], told["share_percent"]) == (
        "default",
        "rival",
        True,
        50,
    )
    assert sum(side["cases"] for side in told["sides"]) == 8
    assert sum(side["cured"] for side in told["sides"]) == 4
    assert sum(side["open"] for side in told["sides"]) == 4
    for side in told["sides"]:
        week = side["cured_within"][0]
        assert (week["days"], week["cases"], week["cured"]) == (7, side["cases"], side["cured"])
        sent = [
            c
            for c in await desk.contacts(status="sent")
            if c["strategy"] == side["arm"].replace("champion", "default").replace("challenger", "rival")
        ]
        in_episodes = [c for c in sent if not c["episode"].startswith("due-")]
        if side["cases"]:
            assert side["contacts_per_case"] == len(in_episodes) / side["cases"]
    assert {each["verdict"] for each in told["differences"]} == {"too_few_cases"}
