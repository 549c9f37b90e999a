"""Rows of an import that share a number are one invoice, of the entity that they name."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import openpyxl
import pytest

from tests.invoice.client import Receivables, eur

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADINGS = ["customer_external_id", "number", "unit_price", "currency", "description", "tax_rate", "quantity"]
GOODS = [
    ["C-1", "L-1", "100.00", "EUR", "Desk", "19", "1"],
    ["C-1", "L-2", "5.00", "EUR", "Lamp", "19", "3"],
    ["C-1", "L-1", "20.00", "EUR", "Chair", "19", "4"],
    ["C-1", "L-1", "30.00", "EUR", "Returned", "7", "-1"],
]


def as_csv(rows: list[list[str]], headings: list[str] = HEADINGS) -> bytes:
    return "\n".join(",".join(row) for row in [headings, *rows]).encode()


def as_xlsx(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [HEADINGS, *rows]:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def as_json(rows: list[list[str]]) -> bytes:
    return "\n".join(
        json.dumps(
            {
                "customer_external_id": customer,
                "number": number,
                "lines": [
                    {
                        "description": description,
                        "quantity": quantity,
                        "unit_price": {"amount": amount, "currency": currency},
                        "tax": {"category": "S", "rate": rate},
                    }
                ],
            }
        )
        for customer, number, amount, currency, description, rate, quantity in rows
    ).encode()


async def imported(books: Receivables, body: bytes, media_type: str = "text/csv", **query: Any) -> dict[str, Any]:
    headers = {"idempotency-key": str(uuid4()), "content-type": media_type}
    answer = await books.http.post("/v1/imports", content=body, headers=headers, params=query)
    assert answer.status_code == 202, answer.text
    await books.tick()
    return await books.get(answer.headers["location"])


def counts(done: dict[str, Any]) -> tuple[Any, ...]:
    return done["status"], done["accepted"], done["present"], done["rejected"]


def why(done: dict[str, Any]) -> dict[int, tuple[str, str]]:
    return {each["line"]: (each["reasons"][0]["pointer"], each["reasons"][0]["detail"]) for each in done["errors"]}


@pytest.mark.parametrize(
    ("write", "media_type"), [(as_csv, "text/csv"), (as_xlsx, XLSX), (as_json, "application/x-ndjson")]
)
@pytest.mark.parametrize("mode", ["partial", "atomic"])
async def test_rows_of_one_number_are_the_lines_of_one_invoice(
    books: Receivables, write: Any, media_type: str, mode: str
) -> None:
    await books.customer(external_id="C-1")

    done = await imported(books, write(GOODS), media_type, mode=mode)

    assert counts(done) == ("completed", 4, 0, 0), "counted as the rows of the file"
    assert (done["rows"], done["done"]) == (4, 4)
    issued = {each["number"]: each for each in (await books.get("/v1/invoices"))["items"]}
    assert set(issued) == {"L-1", "L-2"}
    desk = await books.invoice(issued["L-1"]["id"])
    assert [(each["description"], each["net"]) for each in desk["lines"]] == [
        ("Desk", eur("100.00")),
        ("Chair", eur("80.00")),
        ("Returned", eur("-30.00")),
    ]
    assert desk["total"] == eur("182.10"), "180 at 19%, and 30 at 7% taken off"
    again = await imported(books, write(GOODS), media_type, mode=mode)
    assert counts(again) == ("completed", 0, 4, 0)
    assert len(await books.published()) == 2


async def test_an_invoice_is_taken_with_all_of_its_rows_or_with_none(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    await books.customer(external_id="C-2")
    rows = [
        ["C-1", "A", "1.00", "EUR", "good", "19", "1"],
        ["C-1", "A", "x", "EUR", "no price", "19", "1"],
        ["C-1", "B", "1.00", "EUR", "", "19", "1"],
        ["C-2", "B", "2.00", "EUR", "", "19", "1"],
        ["C-1", "C", "1.00", "EUR", "bus ticket", "19", "1"],
        ["C-1", "C", "1.00", "EUR", "bus ticket", "19", "1"],
        ["C-1", "D", "1.00", "EUR", "", "19", "1"],
        ["C-1", "D", "5.00", "EUR", "", "19", "-1"],
        ["C-1", "E", "1.00", "EUR", "", "19", "1"],
    ]

    done = await imported(books, as_csv(rows))

    assert counts(done) == ("completed", 1, 0, 8)
    assert why(done) == {
        2: ("#/number", "line 3 is of the same invoice and cannot be taken"),
        3: ("#/unit_price", "'x' in column 'unit_price' is not a number like 1234.50"),
        4: ("#/customer_external_id", "lines 4 and 5 are of one invoice and differ in customer_external_id"),
        5: ("#/customer_external_id", "lines 4 and 5 are of one invoice and differ in customer_external_id"),
        6: ("#/line_number", "lines 6 and 7 say the same; meant as two, they need line_number"),
        7: ("#/line_number", "lines 6 and 7 say the same; meant as two, they need line_number"),
        8: ("#/unit_price", why(done)[8][1]),
        9: ("#/unit_price", why(done)[8][1]),
    }
    assert [each["number"] for each in (await books.get("/v1/invoices"))["items"]] == ["E"]


async def test_line_numbers_order_the_lines_and_tell_equal_ones_apart(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    rows = [
        ["C-1", "T", "1.00", "EUR", "bus ticket", "19", "1", "2"],
        ["C-1", "T", "9.00", "EUR", "train ticket", "19", "1", "1"],
        ["C-1", "T", "1.00", "EUR", "bus ticket", "19", "1", "3"],
        ["C-1", "U", "1.00", "EUR", "twice the", "19", "1", "1"],
        ["C-1", "U", "2.00", "EUR", "same place", "19", "1", "1"],
    ]

    done = await imported(books, as_csv(rows, [*HEADINGS, "line_number"]))

    assert counts(done) == ("completed", 3, 0, 2)
    assert why(done)[6] == ("#/line_number", "lines 5 and 6 are both number 1 of one invoice")
    [issued] = (await books.get("/v1/invoices"))["items"]
    lines = (await books.invoice(issued["id"]))["lines"]
    assert [each["description"] for each in lines] == ["train ticket", "bus ticket", "bus ticket"]


async def test_an_invoice_whose_rows_are_far_apart_is_issued_once_and_whole(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    rows = [["C-1", f"N-{n % 1_500}", f"{n + 1}.00", "EUR", "", "0", "1"] for n in range(3_000)]
    done = await imported(books, as_csv(rows))
    assert counts(done) == ("completed", 3_000, 0, 0)
    totals = dict(await books.database.pool.fetch("select number, total_minor from invoice"))
    assert totals == {f"N-{n}": 100 * (2 * n + 1_502) for n in range(1_500)}


async def test_an_invoice_has_at_most_a_thousand_lines(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    for number, count in (("AT", 1_000), ("ABOVE", 1_001)):
        rows = [["C-1", number, f"{n + 1}.00", "EUR", "", "0", "1"] for n in range(count)]
        done = await imported(books, as_csv(rows))
        assert counts(done)[1:] == ((1_000, 0, 0) if number == "AT" else (0, 0, 1_001))


async def other_entity(books: Receivables) -> None:
    body = {"id": "paris", "name": "Dueward France", "series": {"invoice": "FR-", "credit_note": "FC-"}}
    answer = await books.post("/v1/entities", body)
    assert answer.status_code == 201, answer.text


async def test_a_row_is_issued_by_the_entity_that_it_names(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    await other_entity(books)
    rows = [
        ["C-1", "", "1.00", "EUR", "", "0", "1", "paris"],
        ["C-1", "", "2.00", "EUR", "", "0", "1", ""],
        ["C-1", "", "3.00", "EUR", "", "0", "1", "rome"],
        ["C-1", "S-1", "4.00", "EUR", "", "0", "1", "paris"],
        ["C-1", "S-1", "5.00", "EUR", "", "0", "1", "default"],
    ]

    done = await imported(books, as_csv(rows, [*HEADINGS, "entity_id"]))

    assert counts(done) == ("completed", 4, 0, 1)
    assert why(done) == {4: ("#/entity_id", "there is no selling entity 'rome'")}
    found = await books.database.pool.fetch("select entity_id, number, total_minor from invoice order by total_minor")
    assert [tuple(each) for each in found] == [
        ("paris", "FR-000001", 100),
        ("default", "DW-000001", 200),
        ("paris", "S-1", 400),
        ("default", "S-1", 500),
    ], "a number is an entity's own"


async def test_payment_history_is_of_any_entity(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    await other_entity(books)
    head = b"customer_external_id,number,issue_date,due_date,total,currency,settled_on,entity_id\n"
    rows = (
        b"C-1,OLD-1,2023-10-01,2023-10-31,119.00,EUR,2023-11-10,\nC-1,OLD-1,2023-10-01,,7.00,EUR,2023-10-10,default\n"
    )

    done = await imported(books, head + rows, kind="payment_history", entity_id="paris")

    assert counts(done) == ("completed", 2, 0, 0)
    paid = await books.database.pool.fetch(
        "select i.entity_id, p.entity_id, i.settled_on::text, a.amount_minor from invoice i"
        " join allocation a on a.invoice_id = i.id join payment p on p.id = a.payment_id order by i.entity_id"
    )
    assert [tuple(each) for each in paid] == [
        ("default", "default", "2023-10-10", 700),
        ("paris", "paris", "2023-11-10", 11_900),
    ]
    entries = await books.database.pool.fetch("select distinct entity_id from journal_entry where debit = 'bank'")
    assert {each[0] for each in entries} == {"paris", "default"}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("invoices", {"unit_price": "100.00"}),
        ("opening_balances", {"balance": "100.00", "issue_date": "2024-01-02"}),
        ("payment_history", {"total": "100.00", "issue_date": "2024-01-02", "settled_on": "2024-02-01"}),
    ],
)
async def test_a_column_says_what_product_line_a_row_is_of(books: Receivables, kind: str, more: dict[str, str]) -> None:
    await books.customer(external_id="C-9")
    row = {"customer_external_id": "C-9", "number": "P-1", "currency": "EUR", "product_line": "CLOUD", **more}
    done = await imported(books, as_csv([list(row.values())], list(row)), kind=kind)
    assert counts(done) == ("completed", 1, 0, 0)
    (found,) = (await books.get("/v1/invoices", number="P-1"))["items"]
    issued = (await books.published(found["id"]))[0]["data"]
    assert issued["product_lines"] == [{"product_line": "CLOUD", "net": eur("100.00")}]
    bad = await imported(
        books, as_csv([["two words" if v == "CLOUD" else v for v in row.values()]], list(row)), kind=kind
    )
    assert [where for where, _ in why(bad).values()] == ["#/product_line"]
