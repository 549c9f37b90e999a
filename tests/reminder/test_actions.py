"""What a step does besides its message, and what people do about messages in doubt and tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.reminder.deliveries.rules import Delivery
from services.reminder.mails.rules import Letter
from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
DAY_AFTER = date(2026, 2, 2)


@dataclass
class Doubtful:
    """A channel that never says whether a message left."""

    lease_seconds: float = 40.0

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float) -> list[Delivery]:
        return [Delivery(each.contact_id, each.customer_id, "doubtful", "the line broke") for each in letters]


async def post(desk: Desk, path: str, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = await desk.http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == status, answer.text
    return answer.json()


async def in_doubt(desk: Desk, **changes: Any) -> tuple[Customer, Invoice, dict[str, Any]]:
    """A first reminder of which nobody knows whether it left; the mail server works again."""
    customer = await desk.onboard(**changes)
    invoice = await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=3))
    working = desk.resources
    desk.resources = replace(working, senders={"email": Doubtful()})
    await desk.until(DAY_AFTER)
    desk.resources = working
    (contact,) = await desk.contacts()
    assert contact["status"] == "unknown"
    return customer, invoice, contact


def settlement(contact: dict[str, Any]) -> str:
    return f"/v1/contacts/{contact['id']}/settlement"


async def fates(desk: Desk) -> list[tuple[str, str]]:
    return [(contact["step"], contact["status"]) for contact in await desk.contacts()]


async def test_a_message_in_doubt_stands_in_the_worklist_until_a_person_says_that_it_arrived(desk: Desk) -> None:
    customer, _, contact = await in_doubt(desk)
    (task,) = (await desk.get("/v1/tasks", status="open"))["items"]
    assert task["kind"] == "fate_unknown"
    (entry,) = (await desk.get("/v1/worklist"))["items"]
    assert "fate_unknown" in str(entry) or entry["next_action"] == "find_out"
    said = await post(desk, settlement(contact), {"arrived": True, "note": "they have it"})
    assert (said["arrived"], said["repeated_by"]) == (True, None)
    assert await fates(desk) == [("first-reminder", "sent")]
    assert (await desk.contacts())[0]["sent_at"] == "2026-02-02T09:00:00Z"
    assert (await desk.get("/v1/tasks", status="open"))["items"] == []
    await desk.until(date(2026, 2, 8))
    assert await desk.sent() == [("2026-02-02", "first-reminder"), ("2026-02-08", "second-reminder")]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 2


async def test_one_that_did_not_arrive_is_sent_once_more_and_the_ladder_stays_where_it_is(desk: Desk) -> None:
    customer, _, contact = await in_doubt(desk)
    said = await post(desk, settlement(contact), {"arrived": False, "note": "no trace in their log"})
    assert said["not_repeated_because"] is None
    await desk.tick()
    assert await fates(desk) == [("first-reminder", "failed"), ("first-reminder", "sent")]
    assert (await desk.contacts())[-1]["id"] == said["repeated_by"]
    assert len(desk.mails()) == 1
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 1
    assert [kind for kind in await desk.types() if kind == "case.escalated"] == ["case.escalated"]
    await desk.until(date(2026, 2, 8))
    assert await desk.sent() == [("2026-02-02", "first-reminder"), ("2026-02-08", "second-reminder")]


async def test_it_is_sent_once_more_only_once(desk: Desk) -> None:
    _, _, contact = await in_doubt(desk)
    await post(desk, settlement(contact), {"arrived": False})
    working = desk.resources
    desk.resources = replace(working, senders={"email": Doubtful()})
    await desk.tick()
    desk.resources = working
    again = (await desk.contacts())[-1]
    assert again["status"] == "unknown"
    said = await post(desk, settlement(again), {"arrived": False})
    assert (said["repeated_by"], said["not_repeated_because"]) == (None, "it was sent once more already")
    await desk.tick()
    assert desk.mails() == []
    await desk.until(date(2026, 2, 8))
    assert [step for _, step in await desk.sent()] == ["second-reminder"]


async def test_what_was_paid_meanwhile_is_not_sent_once_more(desk: Desk) -> None:
    _, invoice, contact = await in_doubt(desk)
    invoice.pay()
    await post(desk, settlement(contact), {"arrived": False})
    await desk.tick()
    assert await fates(desk) == [("first-reminder", "failed"), ("first-reminder", "suppressed")]


async def test_a_case_that_has_gone_on_is_not_set_back(desk: Desk) -> None:
    _, invoice, contact = await in_doubt(desk)
    await desk.until(date(2026, 2, 9))
    said = await post(desk, settlement(contact), {"arrived": False})
    assert said["not_repeated_because"] == "the case has gone on to 'second-reminder'"
    await desk.hear(*invoice.pay())
    assert await fates(desk) == [("first-reminder", "failed"), ("second-reminder", "sent")]


async def test_an_episode_that_is_over_gets_no_repetition(desk: Desk) -> None:
    _, invoice, contact = await in_doubt(desk)
    await desk.hear(*invoice.pay())
    said = await post(desk, settlement(contact), {"arrived": False})
    assert said["not_repeated_because"] == "its episode is over"


async def test_what_is_known_needs_no_settlement(desk: Desk) -> None:
    _, _, contact = await in_doubt(desk)
    await post(desk, settlement(contact), {"arrived": True})
    refused = await post(desk, settlement(contact), {"arrived": False}, status=409)
    assert refused["type"].endswith("contact-not-in-doubt")
    assert (await post(desk, f"/v1/contacts/{uuid4()}/settlement", {"arrived": True}, status=404))["status"] == 404


@pytest.mark.parametrize("body", [{}, {"arrived": "perhaps"}, {"arrived": True, "by": "me"}])
async def test_a_settlement_says_yes_or_no(desk: Desk, body: dict[str, Any]) -> None:
    await post(desk, f"/v1/contacts/{uuid4()}/settlement", body, status=422)
