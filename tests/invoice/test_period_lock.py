"""The period lock: documents keep their dates, the books of a closed period stay as they are."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.invoice.client import Receivables, eur, invoice, pointers, problem


async def lock(books: Receivables, until: str | None, version: int | None = None, **more: Any) -> httpx.Response:
    seen = version or (await books.get("/v1/entities/default"))["version"]
    path, headers = "/v1/entities/default/period-lock", {"if-match": f'"{seen}"'}
    return await books.http.put(path, json={"locked_until": until, **more}, headers=headers)


async def booked_on(books: Receivables) -> set[tuple[str, str]]:
    return {(each["kind"], each["effective_on"]) for each in (await books.get("/v1/journal"))["items"]}


async def test_late_entries_keep_their_dates_and_are_booked_on_the_first_open_day(books: Receivables) -> None:
    await books.at("2024-03-10")
    assert (await lock(books, "2024-02-29")).status_code == 200
    customer = await books.customer()

    issued = await books.issue(customer, "100.00", issue_date="2024-02-10")
    payment = await books.pay("60.00", reference=issued["number"], received_on="2024-02-20")
    note = await books.post(
        f"/v1/invoices/{issued['id']}/credit-notes",
        {"reason": "x", "amount": eur("10.00"), "issue_date": "2024-02-15"},
    )

    assert (issued["issue_date"], payment["received_on"]) == ("2024-02-10", "2024-02-20")
    assert (note.json()["issue_date"], note.json()["effective_on"]) == ("2024-02-15", "2024-03-01")
    assert await booked_on(books) == {
        (kind, "2024-03-01") for kind in ("invoice", "payment", "allocation", "credit_note")
    }
    events = [*await books.published(issued["id"]), *await books.published(payment["id"])]
    assert {event["data"]["effective_on"] for event in events} == {"2024-03-01"}


async def test_imports_book_into_the_open_period_too(books: Receivables) -> None:
    await books.at("2024-03-10")
    await lock(books, "2024-02-29")
    row = invoice(await books.customer(), issue_date="2024-02-10", number="OLD-1")
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "import"}
    answer = await books.http.post("/v1/imports", content=json.dumps(row), headers=headers)
    assert answer.status_code == 202, answer.text

    await books.tick()

    [found] = (await books.get("/v1/invoices", number="OLD-1"))["items"]
    assert found["issue_date"] == "2024-02-10"
    assert await booked_on(books) == {("invoice", "2024-03-01")}


async def test_entries_of_the_open_period_count_from_their_own_day(books: Receivables) -> None:
    await books.at("2024-03-10")
    await lock(books, "2024-02-29")
    await books.issue(await books.customer(), issue_date="2024-03-01")
    await books.issue(await books.customer(), issue_date="2024-03-05")
    assert await booked_on(books) == {("invoice", "2024-03-01"), ("invoice", "2024-03-05")}


async def test_nothing_is_booked_into_a_closed_period_whichever_way_it_comes(books: Receivables) -> None:
    await lock(books, "2024-02-29")
    customer_id = UUID(await books.customer())
    with pytest.raises(asyncpg.CheckViolationError, match="closed"):
        await books.database.pool.execute(
            "insert into journal_entry (entity_id, customer_id, effective_on, booked_on, kind, debit, credit,"
            " amount_minor, currency)"
            " values ('default', $1, '2024-02-29', '2024-03-01', 'invoice', 'a', 'b', 1, 'EUR')",
            customer_id,
        )


async def test_the_lock_moves_forward_and_back_only_when_forced_with_a_reason(books: Receivables) -> None:
    assert (await lock(books, "2024-01-31")).json()["locked_until"] == "2024-01-31"
    assert (await lock(books, "2024-02-29")).status_code == 200
    assert pointers(await lock(books, "2024-01-31")) == ["#/locked_until"]
    assert pointers(await lock(books, "2024-01-31", force=True)) == ["#/reason"]
    assert (await lock(books, None, force=True, reason="auditor's correction")).json()["locked_until"] is None

    moves = (await books.get("/v1/entities/default/period-lock/moves"))["items"]
    assert [(each["before"], each["locked_until"], each["reason"]) for each in moves] == [
        ("2024-02-29", None, "auditor's correction"),
        ("2024-01-31", "2024-02-29", None),
        (None, "2024-01-31", None),
    ]
    assert {each["locked_by"] for each in moves} == {"anna"}


async def test_a_day_that_is_not_over_cannot_be_closed(books: Receivables) -> None:
    assert pointers(await lock(books, "2024-03-01")) == ["#/locked_until"]
    assert (await lock(books, "2024-02-29")).status_code == 200


async def test_a_lock_by_somebody_who_saw_an_older_entity_is_refused(books: Receivables) -> None:
    await lock(books, "2024-01-31")
    assert problem(await lock(books, "2024-02-29", version=1), 412) == "stale-version"
