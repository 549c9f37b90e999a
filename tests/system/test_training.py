"""The training's scenarios, driven to their goals through the APIs as a trainee would, on the real stack.

All but one are slow: `python -m pytest tests/system/test_training.py` runs them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.layout import SERVICE_PORTS
from deploy.local.training import commands, sample
from deploy.local.training.scenario import gbp
from deploy.local.training.scenarios import SCENARIOS
from deploy.local.training.world import World
from shared.tokens import make_token
from tests.system.stand import running_stack

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The morning on which the training begins, with the scenarios' customers alone."""
    with running_stack(tmp_path_factory.mktemp("training") / "local") as stand:
        yield sample.set_up(stand.layout, customers=0)


def begun(world: World, slug: str) -> dict[str, Any]:
    """The facts of a scenario that has begun by the command."""
    assert run(world, "begin", slug).returncode == 0
    world.state = World.resume(world.layout).state
    return world.state.begun[slug].facts


def run(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.local.training", *arguments]
    environment = {**os.environ, **world.layout.environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def left(world: World, slug: str) -> list[str]:
    """What of the goal is still to do."""
    world.settle()
    return [f.said for f in SCENARIOS[slug].check(world, world.state.begun[slug].facts) if not f.done]


def untouched(world: World, slug: str, of: int) -> bool:
    """Whether the check says that nothing, or next to nothing, is done, and the command's exit code as well."""
    checked = run(world, "check", slug, "--hints")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert f"{of} of {of} still to do" in checked.stdout, checked.stdout
    return len(left(world, slug)) == of


def days(world: World, number: int) -> None:
    for _ in range(number):
        commands.next_day(world)


@pytest.mark.slow
def test_a_disputing_key_account_gets_an_owner_an_answer_and_a_fair_credit_note(world: World) -> None:
    facts = begun(world, "disputing-key-account")
    assert untouched(world, "disputing-key-account", of=4)
    dispute = f"/v1/disputes/{facts['dispute_id']}"
    version = world.get("invoice", dispute)["version"]
    change = httpx.patch(
        world.layout.url("invoice") + dispute,
        json={"owner": "local"},
        headers={"authorization": f"Bearer {world.target.token}", "if-match": f'"{version}"'},
        trust_env=False,
    )
    assert change.status_code == 200
    assert len(left(world, "disputing-key-account")) == 3
    answer = {"body": "12 sensors are missing and credited; 8 stand in your goods-in book."}
    world.post("invoice", f"{dispute}/messages", answer, "t-answer")
    resolution = f"/v1/invoices/{facts['invoice_id']}/disputes/{facts['dispute_id']}/resolution"
    body = {"outcome": "accepted", "amount": gbp("3000.00"), "note": "12 sensors were never delivered"}
    world.post("invoice", resolution, body, "t-resolve")
    assert left(world, "disputing-key-account") == []
    checked = run(world, "check", "disputing-key-account")
    assert checked.returncode == 0
    assert "Goal reached" in checked.stdout
    days(world, 3)
    assert world.get("invoice", f"/v1/invoices/{facts['invoice_id']}")["status"] == "settled"
    assert left(world, "disputing-key-account") == []


@pytest.mark.slow
def test_a_promise_is_written_down_broken_and_followed_up(world: World) -> None:
    facts = begun(world, "broken-promise")
    assert untouched(world, "broken-promise", of=6)
    case = f"/v1/cases/{facts['customer_id']}"
    call = {"outcome": "spoke", "person": "Priya Barnes", "reason": "cash_flow"}
    world.post("reminder", f"{case}/calls", call, "t-first-call")
    promise = {"amount": facts["balance"], "on": facts["promise_on"]}
    kept = world.post("reminder", f"{case}/promises", promise, "t-promise")
    assert len(left(world, "broken-promise")) == 4
    while world.get("reminder", f"/v1/promises/{kept['id']}")["status"] == "open":
        days(world, 1)
    commands.next_day(world)  # The next step goes out in the hours after the break.
    assert len(left(world, "broken-promise")) == 2
    again = {**call, "note": "their customer has not paid either; from the reserve"}
    world.post("reminder", f"{case}/calls", again, "t-second-call")
    task = next(world.items("reminder", "/v1/tasks", customer_id=facts["customer_id"], kind="promise_broken"))
    world.post("reminder", f"/v1/tasks/{task['id']}/done", {"outcome": "talked about it"}, "t-task")
    assert left(world, "broken-promise") == []
    days(world, 3)
    assert world.get("invoice", f"/v1/invoices/{facts['invoice_id']}")["status"] == "settled"
    assert run(world, "check", "broken-promise").returncode == 0


@pytest.mark.slow
def test_a_silent_debtor_is_rung_once_more_and_then_placed_by_two_persons(world: World) -> None:
    facts = begun(world, "silent-debtor")
    assert facts["reminders"] >= 5
    assert untouched(world, "silent-debtor", of=3)
    case = f"/v1/cases/{facts['customer_id']}"
    world.post("reminder", f"{case}/calls", {"outcome": "no_answer"}, "t-last-call")
    placement = world.post("reminder", f"{case}/placements", {"agency_id": sample.AGENCY}, "t-place")
    assert any("second person" in each for each in left(world, "silent-debtor"))
    approved = httpx.post(
        f"{world.layout.url('reminder')}/v1/placements/{placement['id']}/approval",
        json={},
        headers={
            "authorization": f"Bearer {make_token(world.layout.folder, 'maya')}",
            "idempotency-key": "t-approve",
        },
        trust_env=False,
    )
    assert approved.status_code == 201
    task = next(world.items("reminder", "/v1/tasks", customer_id=facts["customer_id"], kind="agency_referral"))
    world.post("reminder", f"/v1/tasks/{task['id']}/done", {"outcome": "placed"}, "t-referral")
    assert left(world, "silent-debtor") == []
    days(world, 6)
    now = world.get("reminder", f"/v1/placements/{placement['id']}")
    assert (now["status"], now["commission"]) == ("recalled", gbp("277.20"))
    assert left(world, "silent-debtor") == []


def test_a_misapplied_payment_is_put_right_as_of_the_day_it_came(world: World) -> None:
    facts = begun(world, "misapplied-payment")
    assert untouched(world, "misapplied-payment", of=5)
    back = {"reason": "booked for the wrong customer", "kind": "booked_by_mistake"}
    world.post("invoice", f"/v1/payments/{facts['payment_id']}/reversal", back, "t-reverse")
    assert len(left(world, "misapplied-payment")) == 3
    anew = {
        "customer_id": facts["customer_id"],
        "amount": gbp("1940.00"),
        "received_on": "2024-05-31",
        "allocations": [{"invoice_number": "A-24033"}],
    }
    world.post("invoice", "/v1/payments", anew, "t-anew")
    call = {"outcome": "spoke", "direction": "in", "person": "Darren Doyle", "reason": "already_paid"}
    world.post("reminder", f"/v1/cases/{facts['customer_id']}/calls", call, "t-sorry")
    assert left(world, "misapplied-payment") == []
    days(world, 1)
    assert world.get("reminder", f"/v1/cases/{facts['other_id']}")["status"] == "open"
    assert left(world, "misapplied-payment") == []


@pytest.mark.slow
def test_a_credit_referral_is_decided_on_record(world: World) -> None:
    facts = begun(world, "credit-referral")
    assert facts["outcome"] != "approved"
    assert untouched(world, "credit-referral", of=1)
    path = f"/v1/customers/{facts['customer_id']}"
    limit = {"limit": gbp("18000.00"), "reason": "Pays two to five days late, nothing overdue; order PO-7731"}
    world.put("credit", f"{path}/credit-limit", limit, world.get("credit", f"{path}/credit")["version"])
    assert len(left(world, "credit-referral")) == 1
    order = {"customer_id": facts["customer_id"], "amount": gbp("9000.00"), "reference": "PO-7731"}
    assert world.post("credit", "/v1/credit-decisions", order, "t-again")["outcome"] == "approved"
    assert left(world, "credit-referral") == []
    days(world, 1)
    owed = world.get("credit", f"{path}/credit")["exposure"]["total"]
    assert owed == gbp("16500.00")
    assert left(world, "credit-referral") == []


@pytest.mark.slow
def test_the_commands_say_what_is_there_and_go_on_with_time(world: World) -> None:
    world.keep()
    assert "disputing-key-account" in run(world, "list").stdout
    before = world.now
    assert run(world, "next").returncode == 0
    assert World.resume(world.layout).now > before
    assert "/sign-in/" in run(world, "links").stdout
    assert run(world, "check", "no-such-thing").returncode == 1
    played = run(world, "play", "silent-debtor")
    assert played.returncode == 0
    assert "A debtor who never answers" in played.stdout


@pytest.mark.slow
def test_every_command_of_the_playbook_works_from_top_to_bottom(tmp_path: Path) -> None:
    with running_stack(tmp_path / "local") as stand:
        world = sample.set_up(stand.layout, customers=0)
        written = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "playbook.md").read_text(), flags=re.S)
        blocks = [block for block in written if "make training" not in block]
        script = "\n".join(["shopt -s inherit_errexit", *blocks])
        for service, port in SERVICE_PORTS.items():
            script = script.replace(f"http://127.0.0.1:{port}", world.layout.url(service))
        script = script.replace(".local/token", str(world.layout.token))
        script = script.replace("make -s token SUB=maya", f"{sys.executable} -m deploy.local token --sub maya")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env={**os.environ, **world.layout.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr}"
