"""What is said about a strategy that could be published but will hardly do what its writer wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.reminder.policies.rules import POLICY, ChannelLimit, Policy
from services.reminder.publishing.rules import advise
from services.reminder.strategies.rules import Strategy, parse, read
from tests.reminder.desk import Desk
from tests.reminder.test_strategies import SHIPPED, put

HEAD = """\
name: mine
title: Mine
catch_up: {gap_days: 2}
"""
STEPS = """\
steps:
  - name: ask
    days_from_due: 3
    channel: email
    tone: friendly
    template: first-reminder
  - name: insist
    days_from_due: 10
    channel: email
    tone: firm
    template: firm-reminder
  - name: decide
    days_from_due: 40
    actions: [agency_referral]
"""
FINE = HEAD + STEPS


def warnings(document: str, *others: str, policy: Policy = POLICY) -> list[tuple[int, str, str]]:
    """(line, pointer, warning) of each."""
    known: list[Strategy] = [parse(other) for other in others]
    return [(w.line, w.pointer, w.detail) for w in advise(parse(document), read(document), known, policy)]


def test_a_plain_strategy_gets_no_warning() -> None:
    assert warnings(FINE) == []


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_shipped_strategies_get_none_even_when_all_of_them_are_switched_on(name: str) -> None:
    on = {name: document.replace("active: false", "active: true") for name, document in SHIPPED.items()}
    assert warnings(on[name], *on.values()) == []


def step(name: str, day: int, **more: Any) -> str:
    said = {"name": name, "days_from_due": day, **more}
    return "  - {" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}\n"


def message(name: str, day: int, channel: str = "email", **more: Any) -> str:
    return step(name, day, channel=channel, tone="firm", template="firm-reminder", **more)


END = step("decide", 40, actions="[agency_referral]")


def with_steps(*steps: str, head: str = HEAD) -> str:
    return head + "steps:\n" + "".join(steps)


@pytest.mark.parametrize(
    ("placed_if", "later_if", "unreachable"),
    [
        ("{}", "{}", True),
        ("{}", "{invoices_at_least: 3}", True),
        ("{invoices_at_least: 3}", "{}", False),
        ("{invoices_at_least: 3}", "{invoices_at_least: 2}", False),
        ("{invoices_at_least: 3}", "{invoices_at_least: 3}", True),
        ("{invoices_at_least: 3}", "{invoices_at_least: 4}", True),
        ("{amount_at_least: {EUR: 100}}", "{amount_at_least: {EUR: 99}}", False),
        ("{amount_at_least: {EUR: 100}}", "{amount_at_least: {EUR: 100}}", True),
        ("{amount_at_least: {EUR: 100}}", "{amount_at_least: {EUR: 101}}", True),
        ("{amount_at_least: {EUR: 100}}", "{amount_at_least: {EUR: 500, USD: 500}}", False),
        ("{amount_at_least: {EUR: 100, USD: 100}}", "{amount_at_least: {EUR: 500}}", True),
        ("{risk_classes: [high]}", "{risk_classes: [high, low]}", False),
        ("{risk_classes: [high, low]}", "{risk_classes: [high]}", True),
        ("{broken_promises_at_least: 1}", "{}", False),
        ("{broken_promises_at_least: 1}", "{broken_promises_at_least: 1}", True),
    ],
)
def test_nothing_comes_after_an_agency_has_the_account(placed_if: str, later_if: str, unreachable: bool) -> None:
    document = with_steps(
        message("ask", 3),
        step("place", 20, actions="[agency_placement]", conditions=placed_if),
        message("late", 30, conditions=later_if),
        END,
    )
    said = [(line, detail) for line, pointer, detail in warnings(document) if pointer == "/steps/2"]
    assert bool(said) is unreachable
    if said:
        assert said == [(7, "steps.2: 'late' is never reached: 'place' hands the account to an agency before")]


@pytest.mark.parametrize(
    ("fits", "conditions", "pointer"),
    [
        ("{risk_classes: [low]}", "{risk_classes: [high]}", "risk_classes"),
        ("{risk_classes: [low, high]}", "{risk_classes: [high]}", None),
        ("{segments: [mid]}", "{risk_classes: [high]}", None),
        ("{open_balance: {EUR: {max: 100}}}", "{amount_at_least: {EUR: 101}}", "amount_at_least"),
        ("{open_balance: {EUR: {max: 100}}}", "{amount_at_least: {EUR: 100}}", None),
        ("{open_balance: {EUR: {max: 100}}}", "{amount_at_least: {USD: 1}}", "amount_at_least"),
        ("{open_balance: {EUR: {min: 100}}}", "{amount_at_least: {USD: 1}}", None),
    ],
)
def test_a_condition_that_no_account_of_the_strategy_meets_is_named(
    fits: str, conditions: str, pointer: str | None
) -> None:
    document = with_steps(
        message("ask", 3), message("never", 20, conditions=conditions), END, head=f"{HEAD}fits: {fits}\n"
    )
    found = [(line, at) for line, at, _ in warnings(document)]
    assert found == ([(7, f"/steps/1/conditions/{pointer}")] if pointer else [])


@pytest.mark.parametrize(("day", "silent"), [(47, False), (48, False), (49, True)])
def test_a_debt_is_not_to_age_in_silence(day: int, silent: bool) -> None:
    document = with_steps(
        message("ask", 3), message("again", day), step("decide", day + 9, actions="[task]", task="{title: x}")
    )
    said = warnings(document)
    assert bool(said) is silent
    if silent:
        assert said[0][:2] == (6, "/steps/1")
        assert "46 days pass between 'ask' and 'again' without any contact that is sure to happen" in said[0][2]


def test_a_message_with_conditions_ends_no_silence() -> None:
    document = with_steps(
        message("ask", 3),
        message("perhaps", 30, conditions="{invoices_at_least: 5}"),
        message("again", 60),
        step("decide", 70, actions="[agency_referral]"),
    )
    assert [pointer for _, pointer, _ in warnings(document)] == ["/steps/2"]


def test_a_case_that_nobody_is_told_of_at_the_end_is_a_dead_end() -> None:
    assert [(line, pointer) for line, pointer, _ in warnings(with_steps(message("ask", 3), message("last", 20)))] == [
        (6, "/steps/1")
    ]


def test_a_charge_may_not_be_the_first_thing_a_customer_hears_of() -> None:
    document = with_steps(
        message("ask", 3, conditions="{invoices_at_least: 5}"),
        message("charge", 20, actions="[fee]", conditions="{invoices_at_least: 2}"),
        END,
    )
    assert "/steps/1/actions" in [pointer for _, pointer, _ in warnings(document)]
    assert warnings(document.replace(", conditions: {invoices_at_least: 5}", "")) == []


@pytest.mark.parametrize(("gap_days", "comes_on"), [(6, None), (7, None), (8, 11), (15, 18)])
def test_steps_closer_than_the_catch_up_gap_come_later_than_they_say(gap_days: int, comes_on: int | None) -> None:
    said = warnings(FINE.replace("gap_days: 2", f"gap_days: {gap_days}"))
    assert [detail for _, _, detail in said] == (
        [
            f"steps.1: 'insist' opens on day 10, but comes on day {comes_on} at best:"
            f" the steps of an episode are {gap_days} days apart (catch_up.gap_days)"
        ]
        if comes_on
        else []
    )


def test_the_catch_up_gap_does_not_hold_up_a_step_that_says_its_own_distance() -> None:
    close = FINE.replace("days_from_due: 10", "days_after_previous: 3").replace("gap_days: 2", "gap_days: 20")
    assert warnings(close) == []
    assert warnings(close.replace("days_after_previous: 3", "days_from_due: 6"))


@pytest.mark.parametrize(("gap_days", "comes_on"), [(7, None), (8, 11), (9, 12)])
def test_steps_closer_than_the_policys_gap_come_later(gap_days: int, comes_on: int | None) -> None:
    said = warnings(FINE, policy=replace(POLICY, min_gap_days=gap_days))
    assert bool(said) is bool(comes_on)
    if comes_on:
        assert said[0][0] == 10
        assert f"comes on day {comes_on} at best: the contact policy" in said[0][2]


@pytest.mark.parametrize(("within_days", "comes_on"), [(7, None), (8, 11), (30, 33)])
def test_the_policys_cap_is_looked_at_too(within_days: int, comes_on: int | None) -> None:
    said = warnings(FINE, policy=replace(POLICY, contacts_max=1, within_days=within_days))
    assert [f"comes on day {comes_on}" in detail for _, _, detail in said] == ([True] if comes_on else [])


def test_a_channel_that_the_policy_shuts_never_reaches_anybody() -> None:
    no_calls = replace(POLICY, channels={"call": ChannelLimit(contacts_max=0)})
    document = with_steps(message("ask", 3), message("ring", 20, "call"), END)
    assert [detail for _, _, detail in warnings(document, policy=no_calls)] == [
        "steps.1: the contact policy allows no contact by call, so 'ring' never reaches anybody"
    ]
    assert warnings(document.replace("channel: call", "channel: call, fallback: email"), policy=no_calls) == []
    assert warnings(document.replace("channel: call", "channels: [call, sms]"), policy=no_calls) == []


def rival(fits: str, more: str = "") -> str:
    return FINE.replace("name: mine", f"name: rival\nfits: {fits}\n{more}")


@pytest.mark.parametrize(
    ("ours", "theirs", "meet"),
    [
        ("{segments: [mid]}", "{segments: [mid, key]}", True),
        ("{segments: [mid]}", "{segments: [key]}", False),
        ("{segments: [mid]}", "{countries: [DE]}", True),
        ("{segments: [mid]}", "{segments: [mid], countries: [DE]}", False),
        ("{average_days_late: {max: 10}}", "{average_days_late: {min: 10}}", True),
        ("{average_days_late: {max: 10}}", "{average_days_late: {min: 11}}", False),
        ("{open_balance: {EUR: {max: 10}}}", "{open_balance: {EUR: {min: 11}}}", False),
        ("{open_balance: {EUR: {max: 10}}}", "{open_balance: {EUR: {min: 10}}}", True),
        ("{open_balance: {EUR: {max: 10}}}", "{open_balance: {USD: {max: 10}}}", False),
    ],
)
def test_two_strategies_between_which_only_the_name_decides_are_told_apart(ours: str, theirs: str, meet: bool) -> None:
    mine = FINE.replace("title: Mine\n", f"title: Mine\npriority: 0\nfits: {ours}\n")
    said = warnings(mine, rival(theirs))
    assert [(line, pointer) for line, pointer, _ in said] == ([(3, "/priority")] if meet else [])
    if meet:
        assert "'mine' takes them, by its name alone" in said[0][2]
        assert warnings(mine, rival(theirs, "priority: 1")) == []
        assert warnings(mine, rival(theirs, "active: false")) == []


async def check(desk: Desk, document: str, name: str = "mine") -> dict[str, Any]:
    answer = await desk.http.post(f"/v1/strategies/{name}/checks", content=document)
    assert answer.status_code == 200
    return answer.json()


async def test_a_check_says_what_publishing_would_and_publishes_nothing(desk: Desk) -> None:
    late = FINE.replace("{gap_days: 2}", "{gap_days: 15}\nfits: {segments: [mid]}")
    checked = await check(desk, late)
    assert (checked["publishable"], checked["faults"]) == (True, [])
    assert [(w["line"], w["pointer"]) for w in checked["warnings"]] == [(11, "#/steps/1")]
    assert (await desk.http.get("/v1/strategies/mine")).status_code == 404
    published = await put(desk, "mine", late, if_none_match="*")
    assert (published.status_code, published.json()["warnings"]) == (201, checked["warnings"])


async def test_a_check_names_every_fault_with_its_line(desk: Desk) -> None:
    broken = FINE.replace("tone: firm", "tone: rude").replace("days_from_due: 3", "days_from_due: soon")
    checked = await check(desk, broken)
    assert (checked["publishable"], [fault["line"] for fault in checked["faults"]]) == (False, [6, 13])
    assert not (await check(desk, "{"))["publishable"]
    assert (await desk.http.post("/v1/strategies/mine/checks", content=b"\xff")).json()["publishable"] is False


@pytest.mark.parametrize(
    ("change", "name", "pointer", "line"),
    [
        (("template: firm-reminder", "template: threat"), "mine", "#/steps/1/template", 14),
        (("title: Mine", "title: Mine"), "other", "#/name", 1),
        (("title: Mine", "title: Mine\nchallenger: {of: nobody, share_percent: 5}"), "mine", "#/challenger/of", 3),
    ],
)
async def test_what_only_the_service_knows_is_checked_as_well(
    desk: Desk, change: tuple[str, str], name: str, pointer: str, line: int
) -> None:
    document = FINE.replace(*change)
    checked = await check(desk, document, name)
    assert [(fault["pointer"], fault["line"]) for fault in checked["faults"]] == [(pointer, line)]
    assert (await put(desk, name, document, if_none_match="*")).status_code in (409, 422)
    assert (await desk.http.get(f"/v1/strategies/{name}")).status_code == 404


async def test_a_champion_has_one_challenger_at_a_time(desk: Desk) -> None:
    def challenger(name: str, more: str = "") -> str:
        head = f"name: {name}\ntitle: X\nchallenger: {{of: default, share_percent: 20}}\n{more}"
        return with_steps(message("ask", 3), END, head=head)

    assert (await put(desk, "one", challenger("one"), if_none_match="*")).status_code == 201
    second = await put(desk, "two", challenger("two"), if_none_match="*")
    assert second.status_code == 422
    assert "'default' is challenged by 'one' already" in second.json()["detail"]
    assert (await put(desk, "one", challenger("one", "active: false\n"), if_match='"1"')).status_code == 200
    assert (await put(desk, "two", challenger("two"), if_none_match="*")).status_code == 201
