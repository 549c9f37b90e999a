"""Imports over the real application: good rows stand, bad ones are named, a kill costs nothing."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.invoice.customers import handlers as customers
from services.invoice.imports import handlers as imports
from shared.db import transaction
from tests.invoice.client import ACME, Receivables, eur, line, problem


def row(n: int, customer: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": customer, "number": f"R-{n}", "lines": [line("10.00")], **more}


async def send(books: Receivables, rows: list[Any], key: str | None = None) -> httpx.Response:
    body = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows)
    headers = {"idempotency-key": key or str(uuid4()), "content-type": "application/x-ndjson"}
    return await books.http.post("/v1/imports", content=body, headers=headers)


async def test_good_rows_are_issued_and_each_bad_row_is_named_with_its_line(books: Receivables) -> None:
    customer = await books.customer(external_id="C-1", payment_terms={"net_days": 14})
    await books.issue(customer, number="R-0")
    rows = [
        row(1, customer, issue_date="2024-02-01", due_date="2024-02-20", reference="PO 1"),
        b"",
        {"customer_external_id": "C-1", "lines": [line("10.00", tax={"category": "S", "rate": "19"})]},
        b"{not json",
        row(0, customer),
        row(7, customer, reference="PO 1", lines=[line("-3.00")]),
        row(2, customer, lines=[line("1.000000005")], due_date="2024-02-30"),
        row(3, customer, lines=[line("-1.00")]),
        row(4, str(uuid4())),
        row(5, customer, issue_date="2024-03-02"),
        row(6, customer, number="DW-000099"),
        b'["a list"]',
        b'{"customer_external_id": "C-1", "reference": "\\u0000", "lines": []}',
        {"customer_external_id": "C-1", "lines": [line("7.00")], "delivery_channel": "letter"},
    ]

    answer = await send(books, rows)

    assert answer.status_code == 202, answer.text
    assert (answer.json()["status"], answer.json()["rows"], answer.json()["accepted"]) == ("running", 13, 0)
    await books.tick()
    done = await books.get(answer.headers["location"])
    assert (done["status"], done["accepted"], done["rejected"]) == ("completed", 3, 10)
    errors = {each["line"]: _by_pointer(each) for each in done["errors"]}
    assert list(errors) == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert errors[5] == {"#/number": "invoice number R-0 exists already, with other content"}
    assert set(errors[6]) == {"#/lines/0/unit_price"}
    assert set(errors[7]) == {"#/lines/0/unit_price", "#/due_date"}, "every reason at once"
    assert set(errors[8]) == {"#/lines/0/unit_price"}
    assert set(errors[9]) == {"#/customer_id"}
    assert set(errors[10]) == {"#/issue_date"}
    assert set(errors[11]) == {"#/number"}
    assert set(errors[4]) == set(errors[12]) == set(errors[13]) == {"#"}
    assert (await books.get(f"{answer.headers['location']}/errors", limit=500))["items"] == done["errors"]

    issued = {each["number"]: each for each in (await books.get("/v1/invoices"))["items"]}
    assert set(issued) == {"R-0", "R-1", "DW-000001", "DW-000002"}
    assert (issued["R-1"]["due_date"], issued["R-1"]["reference"]) == ("2024-02-20", "PO 1")
    assert (issued["DW-000001"]["total"], issued["DW-000001"]["due_date"]) == (eur("11.90"), "2024-03-15")
    assert issued["DW-000002"]["delivery_channel"] == "letter"
    assert issued["R-1"]["credit"]["outcome"] == "not_asked"
    told = await books.published(issued["DW-000001"]["id"])
    assert [event["type"] for event in told] == ["invoice.issued"]
    assert told[0]["data"]["change"] == eur("11.90")
    document = await books.invoice(issued["DW-000001"]["id"])
    assert document["taxes"] == [{"category": "S", "rate": "19", "taxable": eur("10.00"), "tax": eur("1.90")}]
    totals = (await books.get("/v1/journal/trial-balance"))["totals"]
    assert totals == [{"debit": eur("128.90"), "credit": eur("128.90"), "difference": eur("0.00")}]


def _by_pointer(error: dict[str, Any]) -> dict[str, str]:
    return {reason["pointer"]: reason["detail"] for reason in error["reasons"]}


async def test_the_same_file_under_the_same_key_is_issued_once(books: Receivables) -> None:
    customer = await books.customer()
    rows = [row(n, customer) for n in range(3)]

    first = await send(books, rows, key="k-1")
    await books.tick()
    again = await send(books, rows, key="k-1")
    await books.tick()
    other = await send(books, rows[:2], key="k-1")

    assert again.json()["id"] == first.json()["id"]
    assert problem(other, 422) == "idempotency-key-reused"
    assert len((await books.get("/v1/imports"))["items"]) == 1
    assert len((await books.get("/v1/invoices"))["items"]) == 3


async def test_the_same_file_under_another_key_changes_nothing(books: Receivables) -> None:
    customer = await books.customer()
    rows = [row(n, customer) for n in range(3)]
    await send(books, rows)
    await books.tick()

    again = await send(books, rows)
    await books.tick()

    done = await books.get(again.headers["location"])
    assert (done["accepted"], done["present"], done["rejected"]) == (0, 3, 0)
    assert len(await books.published()) == 3


async def test_an_import_killed_in_the_middle_goes_on_without_a_double(books: Receivables) -> None:
    customer = await books.customer()
    rows = [{"customer_id": customer, "lines": [line("1.00")]} for _ in range(2_500)]
    answer = await send(books, rows)

    async with transaction(books.database) as tx:
        await imports.issue_chunk(tx)
    with pytest.raises(RuntimeError, match="killed"):
        await _issue_and_die(books)
    half = await books.get(answer.headers["location"])
    assert (half["status"], half["accepted"]) == ("running", 1_000)
    await books.tick()

    done = await books.get(answer.headers["location"])
    assert (done["status"], done["accepted"], done["rejected"]) == ("completed", 2_500, 0)
    numbers = await books.database.pool.fetch("select number from invoice order by number")
    assert [each[0] for each in numbers] == [f"DW-{n:06d}" for n in range(1, 2_501)]
    assert len(await books.published()) == 2_500


async def _issue_and_die(books: Receivables) -> None:
    async with transaction(books.database) as tx:
        await imports.issue_chunk(tx)
        raise RuntimeError("killed before the commit")


async def test_customers_whose_event_is_on_its_way_are_asked_of_credit(books: Receivables) -> None:
    known, stranger = str(uuid4()), str(uuid4())
    books.credit.customers[known] = {**ACME, "id": known, "external_id": "C-9"}

    answer = await send(books, [row(1, known), row(2, stranger), {"customer_external_id": "C-9", "lines": [line()]}])
    await books.tick()

    done = await books.get(answer.headers["location"])
    assert (done["accepted"], [each["line"] for each in done["errors"]]) == (2, [2])


async def test_rows_wait_while_credit_cannot_be_asked(books: Receivables) -> None:
    known = str(uuid4())
    books.credit.customers[known] = {**ACME, "id": known, "external_id": "C-9"}
    books.credit.reachable = False
    answer = await send(books, [row(1, known)])

    with pytest.raises(Exception, match="credit cannot be asked"):
        await books.tick()
    assert (await books.get(answer.headers["location"]))["status"] == "running"
    books.credit.reachable = True
    await books.tick()

    assert (await books.get(answer.headers["location"]))["accepted"] == 1


async def test_a_file_that_is_none_is_refused(books: Receivables) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}

    empty = await send(books, [b"", b" "])
    too_many = await send(books, [b"{}"] * 100_001)
    not_rows = await books.http.post("/v1/imports", content=b"{}", headers=headers)

    assert problem(empty, 422) == problem(too_many, 422) == "import-refused"
    assert problem(not_rows, 415) == "unsupported-media-type"
    assert problem(await books.http.get(f"/v1/imports/{uuid4()}"), 404) == "import-not-found"


async def test_a_customers_newer_state_is_kept_and_an_older_one_ignored(books: Receivables) -> None:
    from shared.events.credit import CustomerState

    customer = await books.customer(external_id="C-1", version=3, payment_terms={"net_days": 14})
    for version, net_days in ((2, 99), (4, 21), (3, 99)):
        about = {**ACME, "id": customer, "version": version, "payment_terms": {"net_days": net_days}}
        async with transaction(books.database) as tx:
            await customers.keep_customer(tx, CustomerState.model_validate(about))

    assert (await books.issue(customer))["due_date"] == "2024-03-22"
