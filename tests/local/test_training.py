"""The training without a stack: its sample book, what it remembers, and how its goals are judged."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import Layout
from deploy.local.profiles import profile
from deploy.local.training import sample
from deploy.local.training.scenario import Finding, gbp
from deploy.local.training.scenarios import (
    SCENARIOS,
    broken_promise,
    credit_referral,
    disputing_key_account,
    misapplied_payment,
    silent_debtor,
)
from deploy.local.training.world import Begun, NoTraining, State, World

ROOT = Path(__file__).parents[2]


def reached(findings: list[Finding]) -> list[bool]:
    return [finding.done for finding in findings]


# The sample book.


def test_the_book_stands_as_it_is_on_the_first_morning() -> None:
    rows = sample.book()
    today = sample.MORNING.date()
    assert len({row.customer_ref for row in rows}) >= 24
    assert all(row.invoice_date < today for row in rows)
    assert all(row.settled_date is None or row.settled_date < today for row in rows)
    assert any(row.due_date < today and row.settled_date is None for row in rows), "nobody to collect from"


def test_the_customers_of_the_scenarios_are_nobody_else() -> None:
    names = Counter(profile(ref, "GBP").name for ref in {row.customer_ref for row in [*sample.acts(), *sample.book()]})
    assert names.most_common(1)[0][1] == 1
    numbers = Counter(row.invoice_number for row in [*sample.acts(), *sample.book()])
    assert numbers.most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (sample.ALBION, "Albion Instruments Ltd"),
        (sample.COTSWOLD, "Cotswold Joinery Ltd"),
        (sample.CHILTERN, "Chiltern Roofing Ltd"),
        (sample.FENLAND_FREIGHT, "Fenland Freight Ltd"),
        (sample.FENLAND_PRINT, "Fenland Print Ltd"),
        (sample.THISTLE, "Thistle Foods Ltd"),
    ],
)
def test_the_stories_name_the_customers_as_the_services_do(ref: str, name: str) -> None:
    assert profile(ref, "GBP").name == name


# What is remembered.


def test_what_has_begun_is_there_again_after_a_command(tmp_path: Path) -> None:
    state = State("abc", "2024-06-10T07:30:00+00:00", {"X": "1"}, {"broken-promise": Begun("2024-06-10", {"a": 1})})
    state.write(tmp_path / "training.json")
    assert State.read(tmp_path / "training.json") == state


@pytest.mark.parametrize("content", [None, b"{"])
def test_a_file_that_is_not_there_or_half_written_remembers_nothing(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "training.json"
    if content is not None:
        file.write_bytes(content)
    assert State.read(file) is None


def test_without_a_stack_the_commands_say_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoTraining, match="make training starts one"):
        World.resume(Layout(tmp_path))
    command = [sys.executable, "-m", "deploy.local.training", "check", "broken-promise"]
    environment = {**os.environ, "DUEWARD_LOCAL": str(tmp_path)}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "make training starts one" in said.stdout


# How goals are judged.


def dispute(**changed: Any) -> dict[str, Any]:
    open_one = {"status": "open", "owner": None, "messages": [{"from_customer": True}], "resolved_on": None}
    return {**open_one, **changed}


RESOLVED = {"status": "accepted", "owner": "local", "messages": [{"from_customer": False}]}


@pytest.mark.parametrize(
    ("seen", "credited", "expected"),
    [
        (dispute(), None, [False, False, False, False]),
        (dispute(owner="local"), None, [True, False, False, False]),
        (dispute(**RESOLVED, resolved_on="2024-06-24"), "3000.00", [True, True, True, True]),
        (dispute(**RESOLVED, resolved_on="2024-06-25"), "3000.00", [True, True, True, False]),
        (dispute(**RESOLVED, resolved_on="2024-06-24"), "5000.00", [True, True, False, True]),
        (dispute(**RESOLVED, resolved_on="2024-06-24"), "2999.99", [True, True, False, True]),
        (dispute(status="rejected", owner="local", resolved_on="2024-06-24"), None, [True, False, False, True]),
    ],
)
def test_a_dispute_is_settled_fairly_and_in_time(
    seen: dict[str, Any], credited: str | None, expected: list[bool]
) -> None:
    facts = {"dispute_id": "d", "invoice_id": "i", "answer_by": "2024-06-24"}
    looked = disputing_key_account.Seen(seen, gbp(credited) if credited else None, {})
    assert reached(disputing_key_account.judge(facts, looked)) == expected


PROMISE_FACTS = {"customer_id": "c", "balance": gbp("4860.00"), "promise_on": "2024-06-13"}
CALL = {"outcome": "spoke", "reason": "cash_flow", "called_at": "2024-06-10T07:30:00Z"}
PROMISE = {
    "status": "open",
    "amount": gbp("4860.00"),
    "promised_on": "2024-06-13",
    "grace_until": "2024-06-18",
    "ended_on": None,
}
BROKEN = {**PROMISE, "status": "broken", "ended_on": "2024-06-19"}
AGAIN = {**CALL, "called_at": "2024-06-19T09:00:00Z"}
STEP = {"status": "sent", "sent_at": "2024-06-19T08:00:00Z", "step": "firm-reminder", "channel": "email"}
EARLIER = {**STEP, "sent_at": "2024-06-18T08:00:00Z"}
TASK = {"id": "t", "status": "open"}


@pytest.mark.parametrize(
    ("promises", "calls", "contacts", "tasks", "expected"),
    [
        ([], [], [], [], "------"),
        ([], [{**CALL, "reason": None}], [], [], "------"),
        ([], [CALL], [], [], "x-----"),
        ([{**PROMISE, "amount": gbp("4000.00")}], [CALL], [], [], "x-----"),
        ([PROMISE], [CALL], [], [], "xx----"),
        ([BROKEN], [CALL], [], [TASK], "xxx---"),
        ([BROKEN], [CALL], [EARLIER], [TASK], "xxx---"),
        ([BROKEN], [CALL], [STEP], [TASK], "xxxx--"),
        ([BROKEN], [CALL, {**AGAIN, "outcome": "no_answer", "reason": None}], [STEP], [TASK], "xxxx--"),
        ([BROKEN], [CALL, AGAIN], [STEP], [TASK], "xxxxx-"),
        ([BROKEN], [CALL, AGAIN], [STEP], [{**TASK, "status": "done"}], "xxxxxx"),
    ],
)
def test_a_promise_is_followed_to_its_end(
    promises: list[Any], calls: list[Any], contacts: list[Any], tasks: list[Any], expected: str
) -> None:
    seen = broken_promise.Seen(promises, calls, contacts, tasks)
    assert reached(broken_promise.judge(PROMISE_FACTS, seen)) == [mark == "x" for mark in expected]


PLACEMENT = {
    "id": "p",
    "status": "requested",
    "placed_on": None,
    "amount": gbp("2310.00"),
    "requested_by": "local",
    "decided_by": None,
}
PLACED = {**PLACEMENT, "status": "placed", "placed_on": "2024-06-10", "decided_by": "maya"}
NO_ANSWER = {"outcome": "no_answer"}


@pytest.mark.parametrize(
    ("calls", "placements", "task", "invoice", "expected"),
    [
        ([], [], "open", "open", [False, False, False]),
        ([NO_ANSWER], [PLACEMENT], "open", "open", [True, False, False]),
        ([NO_ANSWER], [{**PLACED, "status": "rejected", "placed_on": None}], "open", "open", [True, False, False]),
        ([NO_ANSWER], [{**PLACED, "status": "recalled", "placed_on": None}], "open", "open", [True, False, False]),
        ([NO_ANSWER], [PLACED], "done", "open", [True, True, True]),
        ([], [PLACED], "done", "open", [False, True, True]),
        ([NO_ANSWER], [], "done", "settled", [True, True, True]),
        ([NO_ANSWER], [{**PLACED, "status": "recalled"}], "done", "settled", [True, True, True]),
    ],
)
def test_a_silent_debtor_is_rung_and_then_placed_or_paid(
    calls: list[Any], placements: list[Any], task: str, invoice: str, expected: list[bool]
) -> None:
    seen = silent_debtor.Seen(calls, placements, [{"id": "t", "status": task}], {"status": invoice})
    assert reached(silent_debtor.judge({"customer_id": "c"}, seen)) == expected


STANDS = {"reversed_on": None, "reversal_kind": None, "allocations": [{"reversed_on": None}]}
TAKEN_BACK = {
    "reversed_on": "2024-06-10",
    "reversal_kind": "booked_by_mistake",
    "allocations": [{"reversed_on": "2024-06-10"}],
}
LATE = {"status": "open", "overdue_since": "2024-06-01", "settled_on": None, "balance": gbp("1940.00")}
NEVER_LATE = {"status": "settled", "overdue_since": None, "settled_on": "2024-05-31", "balance": gbp("0.00")}
OPEN_CASE, CLOSED_CASE = {"status": "open"}, {"status": "closed"}


@pytest.mark.parametrize(
    ("booked", "right", "received_on", "case", "reason", "expected"),
    [
        (STANDS, LATE, None, OPEN_CASE, None, "-----"),
        ({**TAKEN_BACK, "reversal_kind": "bounced"}, LATE, None, OPEN_CASE, None, "-x---"),
        (TAKEN_BACK, LATE, None, OPEN_CASE, None, "xx---"),
        (TAKEN_BACK, {**NEVER_LATE, "settled_on": "2024-06-10"}, "2024-06-10", CLOSED_CASE, None, "xx---"),
        (TAKEN_BACK, NEVER_LATE, "2024-05-31", CLOSED_CASE, "cash_flow", "xxxx-"),
        (TAKEN_BACK, NEVER_LATE, "2024-05-31", CLOSED_CASE, "already_paid", "xxxxx"),
    ],
)
def test_a_misapplied_payment_is_put_right_as_of_the_day_it_came(
    booked: Any, right: Any, received_on: str | None, case: Any, reason: str | None, expected: str
) -> None:
    paid_by = {"received_on": received_on} if received_on else None
    seen = misapplied_payment.Seen(booked, right, {}, paid_by, case, [{"reason": reason}] if reason else [])
    found = misapplied_payment.judge({"customer_id": "c", "payment_id": "p"}, seen)
    assert reached(found) == [mark == "x" for mark in expected]


NO = {"outcome": "declined", "explanation": "no"}
YES = {"outcome": "approved", "explanation": "yes"}


@pytest.mark.parametrize(
    ("limit", "decisions", "told", "expected"),
    [
        ("12000.00", [], False, [False]),
        ("12000.00", [NO], False, [False]),
        ("12000.00", [YES], False, [True]),
        ("12000.00", [], True, [True]),
        ("11999.99", [], True, [False, False]),
        ("12000.01", [NO], False, [True, False]),
        ("16500.00", [], False, [True, False]),
        ("20000.00", [YES], False, [True, True]),
        ("20000.01", [YES], False, [False, True]),
    ],
)
def test_a_credit_referral_is_decided_within_ones_authority(
    limit: str, decisions: list[Any], told: bool, expected: list[bool]
) -> None:
    seen = credit_referral.Seen({"limit": gbp(limit), "limit_reason": "why", "version": 2}, decisions, told)
    assert reached(credit_referral.judge({"customer_id": "c"}, seen)) == expected


def test_everything_that_is_missing_comes_with_a_hint() -> None:
    assert len(SCENARIOS) == 5
    facts = {**PROMISE_FACTS, "dispute_id": "d", "invoice_id": "i", "answer_by": "2024-06-24", "payment_id": "p"}
    untouched: dict[str, Any] = {
        "disputing-key-account": disputing_key_account.Seen(dispute(), None, {}),
        "broken-promise": broken_promise.Seen([], [], [], []),
        "silent-debtor": silent_debtor.Seen([], [], [], {"status": "open"}),
        "misapplied-payment": misapplied_payment.Seen(STANDS, LATE, {}, None, OPEN_CASE, []),
        "credit-referral": credit_referral.Seen({"limit": gbp("12000.00"), "version": 1}, [], told_sales=False),
    }
    for slug, scenario in SCENARIOS.items():
        findings = scenario.judge(facts, untouched[slug])
        assert all(not finding.done and finding.said and finding.hint for finding in findings), slug
