"""Files of other systems: CSV and spreadsheets by profile, former items and payments, dry runs, all or nothing."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest

from tests.invoice.client import Receivables, eur, line, pointers, problem

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GERMAN = {
    "kind": "invoices",
    "delimiter": ";",
    "encoding": "windows-1252",
    "date_format": "%d.%m.%Y",
    "decimal_mark": ",",
    "columns": [
        {"column": "Kunde", "field": "customer_external_id"},
        {"column": "Rechnung", "field": "number"},
        {"column": "Datum", "field": "issue_date"},
        {"column": "Betrag", "field": "unit_price"},
        {"column": "Text", "field": "description"},
        {"column": "Versand", "field": "delivery_channel", "values": {"B": "letter", "E": "email"}},
    ],
    "constants": {"currency": "EUR", "tax_category": "S", "tax_rate": "19"},
}


async def send(books: Receivables, body: bytes, media_type: str = "text/csv", **query: Any) -> httpx.Response:
    headers = {"idempotency-key": str(uuid4()), "content-type": media_type}
    return await books.http.post("/v1/imports", content=body, headers=headers, params=query)


async def imported(books: Receivables, body: bytes, media_type: str = "text/csv", **query: Any) -> dict[str, Any]:
    answer = await send(books, body, media_type, **query)
    assert answer.status_code == 202, answer.text
    await books.tick()
    return await books.get(answer.headers["location"])


def counts(done: dict[str, Any]) -> tuple[Any, ...]:
    return done["status"], done["accepted"], done["present"], done["rejected"]


def errors(done: dict[str, Any]) -> dict[int, dict[str, str]]:
    return {
        each["line"]: {reason["pointer"]: reason["detail"] for reason in each["reasons"]} for each in done["errors"]
    }


async def numbers(books: Receivables) -> list[str]:
    return [each["number"] for each in (await books.get("/v1/invoices"))["items"]]


async def save(books: Receivables, name: str, profile: dict[str, Any], **headers: str) -> httpx.Response:
    return await books.http.put(f"/v1/import-profiles/{name}", json=profile, headers=headers or {"if-none-match": "*"})


def sheet(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def test_a_german_csv_is_read_by_its_profile_and_bad_rows_are_named(books: Receivables) -> None:
    await books.customer(external_id="K-1", payment_terms={"net_days": 14})
    assert (await save(books, "datev", GERMAN)).status_code == 201
    file = (
        "Kunde;Rechnung;Datum;Betrag;Text;Versand;Bemerkung\r\n"
        'K-1;R-1;05.02.2024;"1.234,50";"Beratung für\r\nMärz; Teil 1";B;x\r\n'
        "\r\n"
        "K-1;R-2;31.02.2024;12.50;Zwei;E;\r\n"
        "K-1;R-3;05.02.2024;-10,00;Drei;E;\r\n"
        "K-9;R-4;05.02.2024;10,00;Vier;E;\r\n"
        "K-1;R-5;05.02.2024;10,00-;Minus;X;\r\n"
    ).encode("windows-1252")

    done = await imported(books, file, profile="datev")

    assert counts(done) == ("completed", 1, 0, 4)
    assert (done["format"], done["profile_name"], done["profile_version"], done["rows"], done["done"]) == (
        *("csv", "datev", 1),
        *(5, 5),
    )
    assert done["rows_per_second"] > 0
    bad = errors(done)
    assert list(bad) == [5, 6, 7, 8], "lines are those of the file, also after one of two lines and an empty one"
    assert bad[5] == {
        "#/issue_date": "'31.02.2024' in column 'Datum' is not a date like 31.01.2024",
        "#/unit_price": "'12.50' in column 'Betrag' is not a number like 1234,50",
    }
    assert list(bad[6]) == ["#/unit_price"]
    assert bad[7] == {"#/customer_external_id": "customer K-9 is not known"}
    assert set(bad[8]) == {"#/unit_price", "#/delivery_channel"}
    [issued] = (await books.get("/v1/invoices"))["items"]
    assert (issued["total"], issued["issue_date"], issued["due_date"], issued["delivery_channel"]) == (
        eur("1469.06"),
        *("2024-02-05", "2024-02-19", "letter"),
    )
    document = await books.invoice(issued["id"])
    assert document["lines"][0]["description"] == "Beratung für\r\nMärz; Teil 1"


async def test_a_spreadsheet_brings_its_own_numbers_and_dates(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    rows = [
        ["Customer external id", "number", "issue_date", "unit_price", "currency", "quantity", "due_date"],
        ["C-1", "X-1", date(2024, 2, 1), 19.99, "EUR", 3, date(2024, 3, 1)],
        [None, None, None, None, None, None, None],
        ["C-1", 4711, "2024-02-01", 0.1 + 0.2, "EUR", None, None],
        ["C-1", "X-3", 45323, "n/a", "EUR", 1, None],
    ]
    rows[0][0] = "customer_external_id"

    done = await imported(books, sheet(rows), XLSX)

    assert counts(done) == ("completed", 2, 0, 1)
    assert set(errors(done)[5]) == {"#/issue_date", "#/unit_price"}
    issued = {each["number"]: each for each in (await books.get("/v1/invoices"))["items"]}
    assert (issued["X-1"]["total"], issued["X-1"]["due_date"]) == (eur("59.97"), "2024-03-01")
    assert issued["4711"]["total"] == eur("0.30")


async def test_json_lines_are_read_by_a_profile_too(books: Receivables) -> None:
    await books.customer(external_id="K-1")
    await save(books, "shop", {**GERMAN, "date_format": "%Y-%m-%d", "decimal_mark": "."})
    rows = [{"Kunde": "K-1", "Rechnung": "J-1", "Betrag": 12.5, "Datum": "2024-02-01", "extra": None}, {"Kunde": ["K"]}]
    body = "\n".join(map(json.dumps, rows)).encode()
    done = await imported(books, body, "application/x-ndjson", profile="shop")
    assert counts(done) == ("completed", 1, 0, 1)
    assert errors(done)[2] == {"#": "with a profile, a line is a JSON object of plain values"}


async def test_a_form_may_carry_the_file(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    csv = b"customer_external_id,number,unit_price,currency\nC-1,F-1,5.00,EUR\n"
    headers = {"idempotency-key": "form"}
    answer = await books.http.post(
        "/v1/imports", files={"file": ("open items.csv", csv, "application/octet-stream")}, headers=headers
    )
    assert answer.status_code == 202, answer.text
    await books.tick()
    assert await numbers(books) == ["F-1"]
    nothing = await books.http.post("/v1/imports", files={"other": ("a.csv", csv)}, headers={"idempotency-key": "g"})
    unknown = await books.http.post("/v1/imports", files={"file": ("a.pdf", csv)}, headers={"idempotency-key": "h"})
    torn = await send(books, b"--x", "multipart/form-data")
    assert (problem(nothing, 400), problem(unknown, 415), problem(torn, 400)) == (
        *("malformed-request", "unsupported-media-type"),
        "malformed-request",
    )


async def test_the_same_number_is_harmless_with_the_same_content_and_bad_with_another(books: Receivables) -> None:
    customer = await books.customer(external_id="C-1")
    head = b"customer_external_id,number,unit_price,currency,reference\n"
    first = await imported(books, head + b"C-1,N-1,5.00,EUR,PO\nC-1,N-2,6.00,EUR,\n")
    await books.pay("5.00", customer_id=customer)
    await books.wake_on("2024-03-20")

    again = await imported(books, head + b"C-1,N-1,5.00,EUR,PO\nC-1,N-2,6.01,EUR,\nC-1,N-3,7.00,EUR,\n")

    assert counts(first) == ("completed", 2, 0, 0)
    assert counts(again) == ("completed", 1, 1, 1), "paid by now, and dated by the day of the first import"
    assert list(errors(again)) == [3]
    assert await numbers(books) == ["N-1", "N-2", "N-3"]


async def test_open_items_of_a_former_system_keep_number_dates_and_what_is_left(books: Receivables) -> None:
    customer = await books.customer(external_id="C-1")
    file = (
        b"customer_external_id,number,issue_date,due_date,balance,total,currency\n"
        b"C-1,OLD-1,2023-11-01,2023-12-01,80.00,119.00,EUR\n"
        b"C-1,OLD-2,2023-11-01,,120.00,119.00,EUR\n"
        b"C-1,OLD-3,2024-03-02,,1.00,,EUR\n"
        b"C-1,,2023-11-01,,1.00,,EUR\n"
    )

    done = await imported(books, file, kind="opening_balances")

    assert counts(done) == ("completed", 1, 0, 3)
    assert {at: list(why) for at, why in errors(done).items()} == {3: ["#"], 4: ["#/issue_date"], 5: ["#/number"]}
    await books.tick()
    [item] = (await books.get("/v1/invoices"))["items"]
    assert (item["number"], item["issue_date"], item["due_date"], item["balance"], item["overdue"]) == (
        *("OLD-1", "2023-11-01", "2023-12-01"),
        *(eur("80.00"), eur("80.00")),
    )
    [entry] = (await books.get("/v1/journal", customer_id=customer))["items"]
    assert (entry["debit"], entry["credit"], entry["effective_on"], entry["booked_on"]) == (
        *("trade_receivables", "opening_balance"),
        *("2023-11-01", "2024-03-01"),
    )
    told = await books.told(item["id"])
    assert told[0] == ("invoice.issued", "2023-11-01")
    assert ("invoice.overdue", "2023-12-02") in told, "it is collected from the first day on"
    assert counts(await imported(books, file, kind="opening_balances"))[2] == 1


async def test_payment_history_tells_how_a_customer_pays_and_moves_no_money(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    file = (
        b"customer_external_id,number,issue_date,due_date,total,currency,settled_on\n"
        b"C-1,OLD-1,2023-10-01,2023-10-31,119.00,EUR,2023-11-10\n"
        b"C-1,OLD-2,2023-10-01,2023-10-31,119.00,EUR,2023-09-10\n"
        b"C-1,OLD-3,2023-10-01,2023-10-31,119.00,EUR,2024-03-10\n"
    )

    done = await imported(books, file, kind="payment_history")

    assert counts(done) == ("completed", 1, 0, 2)
    assert {at: list(why) for at, why in errors(done).items()} == {3: ["#"], 4: ["#/settled_on"]}
    [paid] = (await books.get("/v1/invoices"))["items"]
    assert (paid["status"], paid["settled_on"], paid["balance"]) == ("settled", "2023-11-10", eur("0.00"))
    told = await books.published(paid["id"])
    assert [each["type"] for each in told] == ["invoice.issued", "invoice.settled"]
    assert (told[1]["data"]["days_late"], told[1]["data"]["effective_on"]) == (10, "2023-11-10")
    accounts = (await books.get("/v1/journal/trial-balance"))["items"]
    assert {each["account"] for each in accounts} == {"trade_receivables", "opening_balance", "bank", "unapplied_cash"}
    assert {each["balance"]["amount"] for each in accounts} == {"0.00"}
    again = await imported(books, file, kind="payment_history")
    other = await imported(books, file.replace(b"2023-11-10", b"2023-11-11"), kind="payment_history")
    assert (again["present"], other["present"]) == (1, 0)


def csv_rows(count: int, last: str = "") -> bytes:
    rows = (f"C-1,N-{n},{n + 1}.00,EUR" for n in range(count))
    return "\n".join(["customer_external_id,number,unit_price,currency", *rows, last]).encode()


async def test_all_or_nothing_issues_all(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    answer = await send(books, csv_rows(2_300), mode="atomic")
    await books.tick()
    done = await books.get(answer.headers["location"])
    assert counts(done) == ("completed", 2_300, 0, 0)
    assert len(await books.published()) == 2_300


async def test_all_or_nothing_issues_nothing_when_the_last_row_is_bad(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    done = await imported(books, csv_rows(1_100, "C-1,N-3,9.00,USD"), mode="atomic")
    assert counts(done) == ("refused", 0, 0, 2)
    assert set(errors(done)) == {5, 1102}, "the invoice has two rows, and they are of two currencies"
    assert await numbers(books) == []
    assert await books.database.pool.fetchval("select count(*) from import_chunk") == 0


async def test_all_or_nothing_holds_when_a_number_is_used_after_the_judging(books: Receivables) -> None:
    from services.invoice.imports import handlers as imports
    from shared.db import transaction

    customer = await books.customer(external_id="C-1")
    answer = await send(books, csv_rows(1_100), mode="atomic")
    for _ in range(2):
        async with transaction(books.database) as tx:
            await imports.judge_chunk(tx)
    await books.issue(customer, number="N-1050")
    await books.tick()

    done = await books.get(answer.headers["location"])
    assert counts(done) == ("refused", 0, 0, 1)
    assert await numbers(books) == ["N-1050"]
    assert len(await books.published()) == 1


async def test_a_dry_run_says_what_would_be_and_changes_nothing(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    await imported(books, b"customer_external_id,number,unit_price,currency\nC-1,N-3,4.00,EUR\nC-1,N-4,9.00,EUR\n")
    done = await imported(books, csv_rows(1_100, "C-1,,1,EUR"), dry_run=True)
    assert counts(done) == ("completed", 1_099, 1, 1)
    assert list(errors(done)) == [6]
    assert await numbers(books) == ["N-3", "N-4"]
    assert len(await books.published()) == 2


async def test_a_preview_proposes_a_profile_to_look_at(books: Receivables) -> None:
    file = (
        "Kundennr.;Rechnungs-Nr;Rechnungsdatum;Fälligkeit;Nettobetrag;Währung;Notiz\n"
        "K-1;R-1;05.02.2024;06.03.2024;1.234,50;EUR;a\n"
        "K-1;R-2;31.12.2023;30.01.2024;7,00;EUR;b\n"
    ).encode("windows-1252")
    headers = {"content-type": "text/csv"}

    seen = (await books.http.post("/v1/imports/preview", content=file, headers=headers)).json()

    assert seen["found"] == {"format": "csv", "encoding": "windows-1252", "delimiter": ";"}
    assert [(each["column"], each["field"]) for each in seen["columns"]] == [
        ("Kundennr.", "customer_external_id"),
        ("Rechnungs-Nr", "number"),
        ("Rechnungsdatum", "issue_date"),
        ("Fälligkeit", "due_date"),
        ("Nettobetrag", "unit_price"),
        ("Währung", "currency"),
        ("Notiz", None),
    ]
    assert seen["problem"] is None
    assert seen["rows"][0]["row"]["lines"][0]["unit_price"] == eur("1234.50")
    assert seen["rows"][1]["row"]["issue_date"] == "2023-12-31"
    assert (await save(books, "proposed", seen["profile"])).status_code == 201
    await books.customer(external_id="K-1")
    assert counts(await imported(books, file, profile="proposed")) == ("completed", 2, 0, 0)

    ambiguous = b"customer,number,amount,currency,date\nC-1,1,5,EUR,01/02/2024\n"
    seen = (await books.http.post("/v1/imports/preview", content=ambiguous, headers=headers)).json()
    assert seen["columns"][4]["doubts"] == "may also be %m/%d/%Y"
    poor = (await books.http.post("/v1/imports/preview", content=b"a,b\n1,2\n", headers=headers)).json()
    assert "need" in poor["problem"]
    assert poor["rows"] == []


async def test_profiles_are_versioned_and_an_import_may_name_an_old_one(books: Receivables) -> None:
    await books.customer(external_id="K-1")
    first = await save(books, "erp", GERMAN)
    second = await save(books, "erp", {**GERMAN, "decimal_mark": "."}, **{"if-match": first.headers["etag"]})
    assert (first.status_code, second.status_code, second.json()["version"]) == (201, 200, 2)
    assert problem(await save(books, "erp", GERMAN), 412) == "stale-version"
    assert problem(await save(books, "standard", GERMAN), 422) == "import-profile"
    assert (await books.get("/v1/import-profiles/erp"))["version"] == 2
    assert (await books.get("/v1/import-profiles/erp", version=1))["profile"]["decimal_mark"] == ","
    assert [each["name"] for each in (await books.get("/v1/import-profiles"))["items"]] == ["erp"]
    missing = await books.http.get("/v1/import-profiles/nobody")
    assert problem(missing, 404) == "import-profile-not-found"

    file = b"Kunde;Rechnung;Datum;Betrag;Text;Versand\nK-1;R-1;05.02.2024;1,50;T;E\n"
    assert counts(await imported(books, file, profile="erp@2"))[1] == 0
    assert counts(await imported(books, file, profile="erp@1"))[1] == 1
    assert problem(await send(books, b"Kunde;Rechnung\nK-1;R\n", profile="erp"), 422) == "import-profile"
    assert problem(await send(books, file, profile="erp", kind="payment_history"), 422) == "import-refused"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": [*GERMAN["columns"], {"column": "A", "field": "colour"}]}, "have no field colour"),
        ({"columns": [*GERMAN["columns"], {"column": "A", "field": "currency"}]}, "filled twice: currency"),
        ({"constants": {}}, "need currency"),
        ({"columns": GERMAN["columns"][1:]}, "name the customer"),
        ({"date_format": "%d %H"}, "does not match"),
    ],
)
async def test_a_profile_that_cannot_work_is_not_saved(books: Receivables, change: dict[str, Any], said: str) -> None:
    answer = await save(books, "p", {**GERMAN, **change})
    assert pointers(answer)
    assert said in answer.text


@pytest.mark.parametrize("kind", ["invoices", "opening_balances", "payment_history"])
async def test_the_template_can_be_filled_in_and_imported(books: Receivables, kind: str) -> None:
    await books.at("2024-05-01")
    await books.customer(external_id="C-1001")
    template = await books.http.get("/v1/import-profiles/standard/template.csv", params={"kind": kind})
    assert template.headers["content-type"].startswith("text/csv")
    assert "attachment" in template.headers["content-disposition"]
    done = await imported(books, template.content, kind=kind)
    assert counts(done) == ("completed", 1, 0, 0), errors(done)


async def test_a_profiles_own_template_is_written_in_its_formats(books: Receivables) -> None:
    await save(books, "datev", GERMAN)
    template = await books.http.get("/v1/import-profiles/datev/template.csv")
    assert template.content.decode("windows-1252") == (
        "Kunde;Rechnung;Datum;Betrag;Text;Versand\r\nC-1001;2024-0815;01.03.2024;120,00;Consulting;E\r\n"
    )


def packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def tampered(name: str, content: bytes) -> bytes:
    """A spreadsheet with a part exchanged."""
    with zipfile.ZipFile(io.BytesIO(sheet([["a"]]))) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    return packed({**parts, name: content})


DTD = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'


@pytest.mark.parametrize(
    ("body", "media_type", "said"),
    [
        (packed({"xl/worksheets/sheet1.xml": b"0" * (257 * 1024 * 1024)}), XLSX, "unpacks to 269,484,032 bytes"),
        (packed({f"{n}.xml": b"" for n in range(2_001)}), XLSX, "2,001 parts"),
        (tampered("xl/worksheets/sheet1.xml", DTD), XLSX, "document type"),
        (tampered("xl/worksheets/sheet1.xml", DTD.decode().encode("utf-16")), XLSX, "document type"),
        (tampered("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row"), XLSX, "unclosed token"),
        (tampered("xl/workbook.xml", b"<nothing/>"), XLSX, ""),
        (b"PK\x03\x04 and nothing more", XLSX, "no spreadsheet"),
        (b"a,b\n1,2\n", XLSX, "no spreadsheet"),
        (packed({"hello.txt": b"hello"}), XLSX, "no spreadsheet"),
        (sheet([["customer_external_id", "unit_price", "currency"]]), XLSX, "no rows"),
        (b"", "text/csv", "no headings"),
        (b"customer_external_id,unit_price,currency\n", "text/csv", "no rows"),
        (b"unit_price,currency\n1,EUR\n", "text/csv", "no column 'customer_external_id'"),
        (b"customer_external_id,unit_price,currency,colour\nC,1,EUR,red\n", "text/csv", "no field 'colour'"),
        (b'customer_external_id,unit_price,currency\n"C,1,EUR', "text/csv", "line 2 is not CSV"),
        (b"a\0b,c\n", "text/csv", "U+0000"),
        (",".join(f"c{n}" for n in range(201)).encode(), "text/csv", "more than 200 columns"),
        (b"customer_external_id,unit_price,currency" + b"\nC,1,EUR" * 100_001, "text/csv", "more than 100,000 rows"),
    ],
)
async def test_a_file_that_is_none_or_too_much_is_refused_with_the_reason(
    books: Receivables, body: bytes, media_type: str, said: str
) -> None:
    answer = await send(books, body, media_type)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert (await books.get("/v1/imports"))["items"] == []


async def test_a_sheet_that_lies_about_its_size_is_read_as_far_as_it_goes(books: Receivables) -> None:
    await books.customer(external_id="C-1")
    rows = (
        '<row r="1"><c r="A1" t="str"><v>customer_external_id</v></c><c r="B1" t="str"><v>unit_price</v></c>'
        '<c r="C1" t="str"><v>currency</v></c><c r="XFD1" t="str"><v>far</v></c></row>'
        '<row r="2"><c r="A2" t="str"><v>C-1</v></c><c r="B2"><v>5</v></c><c r="C2" t="str"><v>EUR</v></c></row>'
        '<row r="1048576"><c r="A1048576" t="str"><v>C-1</v></c></row>'
    )
    xml = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>'
    )
    done = await imported(books, tampered("xl/worksheets/sheet1.xml", xml.encode()), XLSX)
    assert counts(done) == ("completed", 1, 0, 0)


async def test_plain_rows_keep_their_own_shape_for_former_items_too(books: Receivables) -> None:
    customer = await books.customer()
    item = {"customer_id": customer, "number": "O-1", "issue_date": "2024-01-01", "balance": eur("5.00")}
    body = json.dumps(item).encode() + b"\n" + json.dumps({**item, "lines": [line()]}).encode()
    done = await imported(books, body, "application/x-ndjson", kind="opening_balances")
    assert counts(done) == ("completed", 1, 0, 1)
    assert list(errors(done)[2]) == ["#/lines"]
