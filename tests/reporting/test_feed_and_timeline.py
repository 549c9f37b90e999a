"""The event feed that tools resume, and the timeline that people read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.reporting.feed import store
from services.reporting.timeline import rules
from shared.db import reading
from shared.events import catalogue, registry
from shared.money import Money
from tests.reporting.books import Books, unknown
from tests.reporting.client import Reporting, problem

D = date


def a_story() -> Books:
    books = Books()
    acme = books.onboard("Acme GmbH")
    item = books.issue(acme, D(2021, 1, 1), 1_500_00)
    books.overdue(item)
    books.remind(acme, D(2021, 2, 2), invoices=(item.number,))
    books.pay(item, D(2021, 2, 9), 500_00)
    books.pay(item, D(2021, 2, 12))
    return books


async def test_an_event_of_the_feed_has_the_agreed_shape(reporting: Reporting) -> None:
    books = a_story()
    await reporting.hear(books)
    (event,) = (await reporting.get("/v1/events", type="dueward.invoice.overdue.v1"))["items"]
    sent = next(r for r in books.received if r.envelope.type == "dueward.invoice.overdue.v1")
    assert event["subject"] == str(books.items[0].id)
    assert event["customer_id"] == str(books.items[0].customer_id)
    assert (event["source"], event["aggregate_version"]) == ("/dueward/invoice", 2)
    assert event["effective_on"] == "2021-02-01"
    assert event["data"] == sent.data
    assert event["data"]["episode"] == 1
    assert {"id", "type", "time", "correlation_id", "causation_id"} <= event.keys()


async def test_the_feed_is_read_to_its_end_in_pages_that_neither_repeat_nor_skip(reporting: Reporting) -> None:
    books = a_story()
    received = books.received
    await reporting.hear(received, 3)
    whole = await reporting.pages("/v1/events", limit=4)
    assert [event["id"] for event in whole] == [str(r.envelope.id) for r in received]


async def test_a_subscriber_resumes_after_the_last_event_it_has(reporting: Reporting) -> None:
    received = a_story().received
    await reporting.hear(received[:5])
    last = (await reporting.pages("/v1/events"))[-1]["id"]
    await reporting.hear(received[5:])
    rest = await reporting.pages("/v1/events", after=last, limit=2)
    assert [event["id"] for event in rest] == [str(r.envelope.id) for r in received[5:]]


async def test_the_feed_is_narrowed_by_type_customer_and_time(reporting: Reporting) -> None:
    books = a_story()
    other = books.onboard("Other", on=D(2021, 6, 1))
    await reporting.hear(books)
    several = await reporting.get("/v1/events", type=["dueward.invoice.issued.v1", "dueward.invoice.settled.v1"])
    assert [event["type"].split(".")[2] for event in several["items"]] == ["issued", "settled"]
    assert len((await reporting.get("/v1/events", customer_id=str(other)))["items"]) == 1
    late = (await reporting.get("/v1/events", after="2021-05-31T00:00:00+00:00"))["items"]
    assert [event["customer_id"] for event in late] == [str(other)]
    assert (await reporting.get("/v1/events", type="dueward.nothing.v1"))["items"] == []


async def test_the_feed_is_narrowed_by_subject_entity_and_since(reporting: Reporting) -> None:
    books = a_story()
    await reporting.hear(books)
    invoice = str(books.items[0].id)
    of_invoice = (await reporting.get("/v1/events", subject=invoice))["items"]
    assert [event["aggregate_version"] for event in of_invoice] == [1, 2, 3, 4]
    of_entity = (await reporting.get("/v1/events", entity_id="default"))["items"]
    assert len(of_entity) == len(books.events) - 1
    assert (await reporting.get("/v1/events", entity_id="other"))["items"] == []
    first = of_invoice[0]
    assert (await reporting.get("/v1/events", since=first["time"]))["items"][0] == first
    assert (await reporting.get("/v1/events", subject=invoice, after=first["time"]))["items"] == of_invoice[1:]


async def test_a_time_is_found_however_far_into_the_feed_and_late_arrivals_are_kept(reporting: Reporting) -> None:
    """One event arrives after a later one."""
    books = Books()
    acme = books.onboard(on=D(2021, 1, 1))
    for month in (2, 3, 4, 5):
        books.issue(acme, D(2021, month, 1), 1_00)
    first, feb, mar, apr, may = books.received
    await reporting.hear([first, feb, apr, mar, may], 1)

    def ids(events: list[dict[str, Any]]) -> list[str]:
        return [event["id"] for event in events]

    for since, expected in (
        ("2020-06-01T00:00:00Z", [first, feb, apr, mar, may]),
        ("2021-02-15T00:00:00Z", [apr, mar, may]),
        ("2021-03-15T00:00:00Z", [apr, may]),
        ("2021-04-15T00:00:00Z", [may]),
        ("2021-05-15T00:00:00Z", []),
    ):
        found = await reporting.pages("/v1/events", since=since, limit=1)
        assert ids(found) == [str(r.envelope.id) for r in expected]
        assert ids(await reporting.pages("/v1/events", after=since, limit=2)) == ids(found)
        async with reading(reporting.database) as tx:
            moment = datetime.fromisoformat(since)
            places = {await store.place_before(tx, moment, head_events) for head_events in (0, 1, 3, 10)}
        assert len(places) == 1, "among the oldest events, or by the index: the same place"


async def test_an_event_is_read_by_its_id_and_its_type_is_explained(reporting: Reporting) -> None:
    await reporting.hear(a_story())
    event = (await reporting.get("/v1/events", type="dueward.invoice.issued.v1"))["items"][0]
    assert await reporting.get(f"/v1/events/{event['id']}") == event
    assert problem(await reporting.http.get(f"/v1/events/{uuid4()}"), 404) == "event-not-found"
    types = (await reporting.get("/v1/event-types"))["items"]
    assert {each["type"] for each in types} == {kind.type for kind in catalogue.EVENTS}
    issued = await reporting.get("/v1/event-types/dueward.invoice.issued.v1")
    assert (issued["topic"], issued["source"]) == ("ar.invoice", "/dueward/invoice")
    assert issued["meaning"]
    assert issued["schema"]["properties"]["invoice"]
    assert issued["example"]["invoice"]["number"]
    answer = await reporting.http.get("/v1/event-types/dueward.nothing.v1")
    assert problem(answer, 422) == "unknown-event-type"


async def test_a_cursor_of_one_list_is_refused_by_another(reporting: Reporting) -> None:
    await reporting.hear(a_story())
    cursor = (await reporting.get("/v1/events", limit=1))["next_cursor"]
    answer = await reporting.http.get("/v1/events", params={"type": "dueward.invoice.issued.v1", "cursor": cursor})
    assert problem(answer, 400) == "bad-cursor"


async def test_a_timeline_tells_the_story_newest_first(reporting: Reporting) -> None:
    books = a_story()
    await reporting.hear(books)
    customer = books.items[0].customer_id
    lines = (await reporting.get(f"/v1/customers/{customer}/timeline"))["items"]
    assert [(line["date"], line["title"]) for line in lines] == [
        ("2021-02-12", "Invoice INV-00001 settled"),
        ("2021-02-12", "Payment applied"),
        ("2021-02-12", "Payment received"),
        ("2021-02-09", "Invoice INV-00001 paid in part"),
        ("2021-02-09", "Payment applied"),
        ("2021-02-09", "Payment received"),
        ("2021-02-02", "Reminder sent: friendly reminder"),
        ("2021-02-02", "Reminder planned: friendly reminder"),
        ("2021-02-01", "Invoice INV-00001 overdue"),
        ("2021-01-01", "Invoice INV-00001 issued"),
        ("2020-01-01", "Customer onboarded"),
    ]
    assert (lines[0]["detail"], lines[0]["amount"]) == ("12 days late", {"amount": "-1000.00", "currency": "EUR"})
    assert lines[3]["detail"] == "1000.00 EUR open"


async def test_a_timeline_is_read_page_by_page_and_a_late_booking_takes_its_place(reporting: Reporting) -> None:
    books = a_story()
    await reporting.hear(books)
    customer = books.items[0].customer_id
    books.issue(customer, D(2021, 1, 15), 700, booked_on=D(2021, 3, 1))
    await reporting.hear(books)
    path = f"/v1/customers/{customer}/timeline"
    assert await reporting.pages(path, limit=2) == (await reporting.get(path))["items"]
    dates = [line["date"] for line in await reporting.pages(path, limit=2)]
    assert dates == sorted(dates, reverse=True)
    assert "2021-01-15" in dates


async def test_an_unknown_event_is_told_by_its_name(reporting: Reporting) -> None:
    customer = uuid4()
    await reporting.hear([unknown(customer)])
    (line,) = (await reporting.get(f"/v1/customers/{customer}/timeline"))["items"]
    assert (line["kind"], line["title"]) == ("other", "Promise made")


def test_every_published_event_has_words_of_its_own() -> None:
    untold = [kind.type for kind in catalogue.EVENTS if kind.type not in rules._TELLERS]
    assert untold == []


@pytest.mark.parametrize("type", [kind.type for kind in catalogue.EVENTS])
def test_the_example_of_every_event_is_read_by_what_tells_of_it(type: str) -> None:
    example = registry.example(type)
    assert example
    assert rules._TELLERS[type](example) == rules.describe(type, example)


def test_a_payload_that_misses_something_still_makes_a_line() -> None:
    for kind in catalogue.EVENTS:
        assert rules.describe(kind.type, {}).title
        assert rules.describe(kind.type, {"invoice": None, "contact": 7, "payment": []}).title


def test_amounts_are_signed_as_the_balance_moved() -> None:
    lines = {r.envelope.type: rules.describe(r.envelope.type, r.data) for r in a_story().received}
    assert lines["dueward.invoice.issued.v1"].amount == Money(1_500_00, "EUR")
    assert lines["dueward.invoice.settled.v1"].amount == Money(-1_000_00, "EUR")
    assert lines["dueward.payment.received.v1"].amount == Money(1_000_00, "EUR")
