"""Joining late: a snapshot, and the feed behind its watermark."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from services.reporting.snapshots.rules import PLACES
from shared.events import catalogue, registry
from tests.reporting.books import Books, receive
from tests.reporting.client import Reporting, problem

D = date


def a_ledger(chance: random.Random) -> Books:
    books = Books()
    customers = [books.onboard(f"Customer {n}") for n in range(3)]
    day = D(2021, 1, 1)
    for _ in range(25):
        day += timedelta(days=chance.randint(0, 3))
        item = books.issue(chance.choice(customers), day, chance.randint(1, 9) * 10_00)
        books.overdue(item)
        for _ in range(chance.randint(0, 2)):
            books.pay(item, day + timedelta(days=40), item.balance // 2 or None)
        books.rename(chance.choice(customers), f"Renamed {day}", day)
    return books


def taken_in(states: dict[tuple[str, str], tuple[int, Any]], kind: str, id: str, version: int, state: Any) -> None:
    """As a subscriber does: what is not newer than what it has is dropped."""
    if states.get((kind, id), (0, None))[0] < version:
        states[kind, id] = (version, state)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_snapshot_and_the_feed_behind_its_watermark_are_the_state_of_everything(
    reporting: Reporting, seed: int
) -> None:
    """Events go on coming between the pages, also old ones that arrive late."""
    chance = random.Random(seed)
    received = a_ledger(chance).received
    late = received.pop(5)
    half = len(received) // 2
    await reporting.hear(received[:half], 7)
    rest = [*received[half:], late]
    states: dict[tuple[str, str], tuple[int, Any]] = {}
    marks = []
    for kind, member in (("invoices", "invoice"), ("customers", "customer"), ("payments", "payment")):
        cursor, pages = None, 0
        while cursor or not pages:
            page = await reporting.get(f"/v1/snapshots/{kind}", limit=4, cursor=cursor)
            for item in page["items"]:
                taken_in(states, member, item["id"], item["version"], item["state"])
            await reporting.hear([rest.pop(0) for _ in range(min(2, len(rest)))])
            cursor, pages = page["next_cursor"], pages + 1
            marks.append(page["continue_after"])
        assert len(set(marks[-pages:])) == 1, "all pages of a snapshot are of one moment"
    await reporting.hear(rest)
    for event in await reporting.pages("/v1/events", after=marks[0], limit=50):
        for member in ("invoice", "customer", "payment"):
            state = event["data"].get(member)
            if state and state["id"] == event["subject"]:
                taken_in(states, member, event["subject"], event["aggregate_version"], state)

    expected: dict[tuple[str, str], tuple[int, Any]] = {}
    for one in [*received, late]:
        for member in ("invoice", "customer", "payment"):
            if member in one.data and one.data[member]["id"] == str(one.envelope.subject):
                taken_in(expected, member, str(one.envelope.subject), one.envelope.version, one.data[member])
    assert states == expected


async def test_a_snapshot_is_of_the_moment_its_first_page_was_read(reporting: Reporting) -> None:
    books = Books()
    acme = books.onboard()
    items = [books.issue(acme, D(2021, 1, 1), 100) for _ in range(5)]
    await reporting.hear(books)
    first = await reporting.get("/v1/snapshots/invoices", limit=2)
    before = len(books.received)
    for item in items:
        books.pay(item, D(2021, 2, 1))
    await reporting.hear(books.received[before:])
    second = await reporting.get("/v1/snapshots/invoices", limit=3, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    shown = first["items"] + second["items"]
    assert {item["state"]["status"] for item in shown} == {"open"}
    assert {item["id"] for item in shown} == {str(item.id) for item in items}
    (now,) = {item["state"]["status"] for item in (await reporting.get("/v1/snapshots/invoices"))["items"]}
    assert now == "settled"


async def test_every_kind_of_aggregate_is_found_by_its_examples(reporting: Reporting) -> None:
    examples = [catalogue.BY_TYPE[kind.type].model_validate(registry.example(kind.type)) for kind in catalogue.EVENTS]
    await reporting.hear([receive(event, offset) for offset, event in enumerate(examples)], 1)
    for kind, place in PLACES.items():
        found = (await reporting.get(f"/v1/snapshots/{kind}"))["items"]
        assert found, kind
        for item in found:
            assert (item["state"]["id"], item["state"]["version"]) == (item["id"], item["version"])
            assert catalogue.source(catalogue.producer(catalogue.BY_TYPE[item["type"]])) == place.source


async def test_an_empty_feed_has_an_empty_snapshot(reporting: Reporting) -> None:
    assert await reporting.get("/v1/snapshots/cases") == {"items": [], "next_cursor": None, "continue_after": None}
    assert problem(await reporting.http.get("/v1/snapshots/dreams"), 422) == "invalid-request"
