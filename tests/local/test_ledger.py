"""A ledger file is taken whole or not at all, and every bad line is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.ledger import COLUMNS, BadLedger, Fault, Row, load, read
from shared.money import Money

GOOD = {
    "customer_ref": "DE-0042-HBR",
    "invoice_number": "2026-00017",
    "invoice_date": "2026-01-05",
    "due_date": "2026-02-04",
    "amount": "1250.00",
    "currency": "EUR",
    "settled_date": "2026-02-20",
    "disputed": "no",
    "segment": "mid",
    "channel": "email",
}


def lines(*rows: dict[str, str]) -> list[str]:
    return [",".join(COLUMNS) + "\n", *(",".join(row[name] for name in COLUMNS) + "\n" for row in rows)]


def test_a_good_row_is_read_into_dates_and_money() -> None:
    rows, faults = read(lines(GOOD, {**GOOD, "invoice_number": "2", "settled_date": "", "disputed": "yes"}))
    assert faults == []
    assert rows[0] == Row(
        line=2,
        customer_ref="DE-0042-HBR",
        invoice_number="2026-00017",
        invoice_date=date(2026, 1, 5),
        due_date=date(2026, 2, 4),
        amount=Money(125000, "EUR"),
        settled_date=date(2026, 2, 20),
        disputed=False,
        segment="mid",
        channel="email",
    )
    assert rows[1].settled_date is None
    assert rows[1].disputed


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"invoice_date": "05.01.2026"}, "invoice_date '05.01.2026' is not a date"),
        ({"invoice_date": "2026-02-30"}, "invoice_date '2026-02-30' is not a date"),
        ({"due_date": "20260204"}, "due_date '20260204' is not a date"),
        ({"due_date": ""}, "due_date is empty"),
        ({"settled_date": "open"}, "settled_date 'open' is not a date"),
        ({"due_date": "2026-01-04"}, "due_date 2026-01-04 is before invoice_date 2026-01-05"),
        ({"settled_date": "2026-01-04"}, "settled_date 2026-01-04 is before invoice_date 2026-01-05"),
        ({"currency": "EURO"}, "unknown currency 'EURO'"),
        ({"currency": ""}, "unknown currency ''"),
        ({"amount": "1250.005"}, "EUR has 2 decimals, 1250.005 has more"),
        ({"amount": "1250.00", "currency": "JPY"}, "JPY has 0 decimals, 1250.00 has more"),
        ({"amount": "0.00"}, "amount 0.00 is not more than zero"),
        ({"amount": "-5.00"}, "amount -5.00 is not more than zero"),
        ({"amount": "abc"}, "amount 'abc' is not a decimal number"),
        ({"amount": ""}, "amount '' is not a decimal number"),
        ({"amount": "99999999999999.00"}, "too large"),
        ({"disputed": "maybe"}, "disputed is yes or no, not 'maybe'"),
        ({"channel": "fax"}, "channel is email or letter, not 'fax'"),
        ({"customer_ref": " "}, "customer_ref is empty"),
        ({"invoice_number": ""}, "invoice_number is empty"),
        ({"segment": ""}, "segment is empty"),
        ({"customer_ref": "x" * 101}, "customer_ref has 101 characters"),
        ({"customer_ref": "a\x07b"}, "control characters"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_others_are_read(changes: dict[str, str], problem: str) -> None:
    rows, faults = read(lines({**GOOD, "invoice_number": "1"}, {**GOOD, **changes}, {**GOOD, "invoice_number": "3"}))
    assert [row.line for row in rows] == [2, 4]
    assert [fault.line for fault in faults] == [3]
    assert problem in str(faults[0])
    assert str(faults[0]).startswith("line 3: ")


def test_boundary_days_are_good() -> None:
    same_day = {**GOOD, "due_date": "2026-01-05", "settled_date": "2026-01-05"}
    assert read(lines(same_day))[1] == []


def test_a_number_that_stands_twice_is_reported_where_it_comes_again_with_where_it_was() -> None:
    rows, faults = read(lines(GOOD, {**GOOD, "customer_ref": "GB-0001-XYZ"}, GOOD))
    assert len(rows) == 1
    assert faults == [
        Fault(3, "invoice_number 2026-00017 is already on line 2"),
        Fault(4, "invoice_number 2026-00017 is already on line 2"),
    ]


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    _, faults = read(lines({**GOOD, "amount": "x", "due_date": "soon", "channel": "fax"}))
    assert len(faults) == 3


def test_a_missing_column_is_named_once_instead_of_on_every_line() -> None:
    header = [name for name in COLUMNS if name not in ("due_date", "channel")]
    _, faults = read([",".join(header) + "\n", "a,b,c\n", "d,e,f\n"])
    assert faults == [Fault(1, "missing columns due_date, channel")]
    _, faults = read([";".join(COLUMNS) + "\n"])
    assert "separated by commas" in str(faults[0])
    _, faults = read([",".join(COLUMNS) + ",amount\n"])
    assert faults == [Fault(1, "column amount stands there twice")]


def test_columns_may_come_in_any_order_and_with_others_beside_them() -> None:
    names = [*reversed(COLUMNS), "comment"]
    rows, faults = read([",".join(names) + "\n", ",".join({**GOOD, "comment": "x"}[name] for name in names) + "\n"])
    assert faults == []
    assert rows[0].amount == Money(125000, "EUR")


def test_a_line_with_too_few_or_too_many_values_is_reported_and_an_empty_one_passed_over() -> None:
    _, faults = read([*lines(GOOD), "a,b\n", "\n", ",".join(GOOD.values()) + ",extra\n"])
    assert faults == [
        Fault(3, "2 columns where the header has 10"),
        Fault(5, "11 columns where the header has 10"),
    ]


def test_quoted_values_may_hold_commas_and_line_breaks_keep_the_line_count_right() -> None:
    quoted = ",".join({**GOOD, "segment": '"mid, large"'}.values()) + "\n"
    rows, faults = read([",".join(COLUMNS) + "\n", quoted])
    assert faults == []
    assert rows[0].segment == "mid, large"


def test_a_file_without_invoices_is_no_ledger() -> None:
    for text in ([], [",".join(COLUMNS) + "\n"], [",".join(COLUMNS) + "\n", "\n"]):
        assert len(read(text)[1]) == 1


def test_a_file_is_loaded_whole_or_refused_with_all_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    path.write_text("".join(lines(GOOD)), encoding="utf-8-sig")
    assert len(load(path)) == 1
    path.write_text("".join(lines({**GOOD, "amount": "0"}, {**GOOD, "channel": "fax"})), encoding="utf-8")
    with pytest.raises(BadLedger) as refused:
        load(path)
    assert [fault.line for fault in refused.value.faults] == [2, 3, 3]
    assert "line 2: amount 0 is not more than zero" in str(refused.value)


def test_a_file_that_is_not_utf_8_is_refused_with_the_line_of_the_first_bad_byte(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    path.write_bytes("".join(lines(GOOD, {**GOOD, "segment": "groß"})).encode("latin-1"))
    with pytest.raises(BadLedger, match="line 3: the file is not UTF-8"):
        load(path)


cells = st.sampled_from([*GOOD.values(), "", '"', "\0", "2026-13-01", "JPY", "1e9", "\u0661"]) | st.text(max_size=5)


@given(st.lists(st.lists(cells, max_size=12).map(",".join)))
def test_no_line_can_make_the_reader_stumble(body: list[str]) -> None:
    rows, faults = read([",".join(COLUMNS) + "\n", *(line + "\n" for line in body)])
    assert rows or faults
