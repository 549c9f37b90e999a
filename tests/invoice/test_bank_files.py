"""Bank files read: every field where banks put it, and damage named with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.bank_csv import rules as bank_csv
from services.invoice.bank_csv.rules import CsvProfile
from services.invoice.bank_entries import rules
from services.invoice.bank_entries.rules import Booking, Entry, Known, StatementRefused
from services.invoice.camt import rules as camt
from services.invoice.payment_references.rules import payment_reference, printed, references_in
from services.invoice.swift_mt940 import rules as swift_mt940
from tests.invoice import bank_files
from tests.invoice.bank_files import ACCOUNT, ACME_IBAN, BAKER_IBAN, CSV_PROFILE, detail, entry
from tests.invoice.client import Receivables


def test_a_camt_053_of_version_2_in_latin_1_is_read_with_all_its_references() -> None:
    message, [statement] = camt.read(bank_files.CAMT_053_V02)

    assert message == "camt.053.001.02"
    assert (statement.account, statement.sequence) == (ACCOUNT, "41")
    assert (statement.opening_minor, statement.closing_minor) == (100_000, 161_160)
    entries = [each for booking in statement.bookings for each in booking.entries]
    assert [(each.kind, each.amount_minor) for each in entries] == [
        ("receipt", 25_000),
        ("receipt", 9_950),
        ("receipt", 10_000),
        ("receipt", 20_000),
        ("receipt", 30_000),
        ("return", 20_000),
        ("debit", 13_000),
        ("charge", 790),
    ]
    full, bare, *batch, returned, rent, fee = entries
    assert (full.end_to_end_id, full.creditor_reference) == ("R-77", "RF18539007547034")
    assert (full.party_name, full.party_iban) == ("Müller & Söhne", ACME_IBAN)
    assert full.additional_info == "GUTSCHRIFT Acme GmbH", "the one it was paid for stands beside"
    assert (bare.end_to_end_id, bare.bank_reference, bare.party_iban) == (None, None, None)
    assert (bare.remittance, bare.charges_minor) == ("Invoice A-1 thank you", 150)
    assert [(each.end_to_end_id, each.mandate_id) for each in batch] == [
        ("DD-1", "M-A"),
        ("DD-2", "M-B"),
        ("DD-3", "M-C"),
    ]
    assert (returned.end_to_end_id, returned.reason, returned.party_iban) == ("DD-2", "AM04", BAKER_IBAN)
    assert (rent.party_name, fee.additional_info) == ("Office Rent AG", "KONTOFÜHRUNG")
    assert statement.bookings[0].value_on == date(2024, 2, 27)


@pytest.mark.parametrize("version", ["02", "04", "06", "08", "13"])
@pytest.mark.parametrize("kind", ["053", "054"])
def test_versions_and_messages_are_read_alike(kind: str, version: str) -> None:
    body = bank_files.camt(entry("10.00", detail(text="A-1"), ref="B-1"), kind=kind, version=version)

    message, [statement] = camt.read(body)

    assert message == f"camt.{kind}.001.{version}"
    [only] = statement.bookings[0].entries
    assert (only.party_name, only.remittance, only.line) == ("Acme GmbH", "A-1", 7)


def test_a_batch_that_does_not_say_what_it_consists_of_stays_whole() -> None:
    untold = camt.read(bank_files.camt(entry("30.00", detail(text="A-1") + detail(text="A-2"))))[1][0].bookings[0]
    short = camt.read(bank_files.camt(entry("30.00", detail("10.00") + detail("19.00"))))[1][0].bookings[0]
    told = camt.read(bank_files.camt(entry("30.00", detail("10.00") + detail("20.00"))))[1][0].bookings[0]

    assert [each.amount_minor for each in untold.entries] == [3_000]
    assert untold.entries[0].remittance == "A-1 A-2"
    assert not untold.detailed
    assert [each.amount_minor for each in short.entries] == [3_000]
    assert [each.amount_minor for each in told.entries] == [1_000, 2_000]


def test_a_reversal_of_our_own_payment_is_money_that_came_back() -> None:
    back = camt.read(bank_files.camt(entry("30.00", detail(), reversal=True)))[1][0].bookings[0]
    taken = camt.read(bank_files.camt(entry("30.00", detail(returned="MD06"), side="DBIT")))[1][0].bookings[0]

    assert back.entries[0].kind == "returned_to_us"
    assert (taken.entries[0].kind, taken.entries[0].reason) == ("return", "MD06")


def test_an_empty_statement_is_read_and_holds_nothing() -> None:
    [statement] = camt.read(bank_files.camt())[1]

    assert statement.bookings == ()


def test_an_mt940_is_read_in_its_three_ways_of_telling_details() -> None:
    for encoding in ("utf-8", "latin-1"):
        _, [first, second] = swift_mt940.read(bank_files.MT940.encode(encoding))
        entries = [each for booking in first.bookings for each in booking.entries]

        assert (first.account, first.opening_minor, first.closing_minor) == ("12030000/0000202051", 100_000, 114_160)
        assert [(each.kind, each.amount_minor) for each in entries] == [
            ("receipt", 25_000),
            ("receipt", 9_950),
            ("return", 20_000),
            ("charge", 790),
        ]
        german, slashed, returned, fee = entries
        assert (german.end_to_end_id, german.party_iban) == ("R-77", ACME_IBAN)
        assert (german.remittance, german.party_name) == ("RF18 5390 0754 7034 Miete Maerz", "Müller + Söhne GmbH")
        assert (slashed.end_to_end_id, slashed.party_name) == ("E-2", "Boulangerie Ltd")
        assert (slashed.remittance, slashed.party_iban) == ("Invoice A-1", BAKER_IBAN)
        assert (returned.end_to_end_id, returned.mandate_id, returned.bank_reference) == ("DD-2", "M-B", "B-4")
        assert fee.end_to_end_id is None
        assert first.bookings[2].booked_on == date(2024, 2, 28)
        assert second.bookings == ()


def test_an_mt940_is_never_taken_for_the_name_of_a_file() -> None:
    with pytest.raises(StatementRefused):
        swift_mt940.read(b"/etc/hostname")


def test_a_csv_is_read_by_its_profile() -> None:
    for encoding in ("utf-8", "utf-8-sig", "windows-1252"):
        _, [statement] = bank_csv.read(bank_files.CSV.encode(encoding), CsvProfile(**CSV_PROFILE), None)
        entries = [each for booking in statement.bookings for each in booking.entries]

        assert [(each.kind, each.amount_minor, each.line) for each in entries] == [
            ("receipt", 125_000, 2),
            ("return", 20_000, 3),
            ("debit", 790, 4),
        ]
        assert entries[0].remittance == 'Rechnung A-1; "danke"'
        assert (entries[0].party_name, entries[0].end_to_end_id) == ("Müller & Söhne", None)


def test_a_csv_with_two_columns_of_amounts_and_no_heading_is_read() -> None:
    profile = CsvProfile.model_validate(
        {
            "delimiter": ",",
            "heading": False,
            "decimal_mark": ".",
            "skip_lines": 1,
            "booked_on": "1",
            "remittance": ["2", "3"],
            "debit": "4",
            "credit": "5",
            "fixed_currency": "GBP",
        }
    )
    body = b'My account\n2024-02-28,A-1,thanks,,"1,200.50"\n2024-02-28,rent,,300.00,\n'

    _, [statement] = bank_csv.read(body, profile, "gb29 nwbk 6016 1331 9268 19")

    assert statement.account == "GB29NWBK60161331926819"
    assert [(each.direction, each.amount_minor) for each in statement.bookings] == [
        ("credit", 120_050),
        ("debit", 30_000),
    ]
    assert statement.bookings[0].entries[0].remittance == "A-1 thanks"


def _camt(body: bytes) -> None:
    camt.read(body)


def _mt940(body: bytes) -> None:
    swift_mt940.read(body)


def _csv(body: bytes) -> None:
    bank_csv.read(body, CsvProfile(**CSV_PROFILE), None)


V02, MT940, CSV = bank_files.CAMT_053_V02, bank_files.MT940.encode(), bank_files.CSV.encode()

ENTITY = b'<?xml version="1.0"?>\n<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<d>&e;</d>'
IN_UTF_16 = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE d []><d/>'.encode("utf-16")

DAMAGED: dict[str, tuple[Callable[[bytes], None], bytes, int, str]] = {
    "cut off": (_camt, V02[:3_000], V02[:3_000].count(b"\n") + 1, "well-formed"),
    "no amount": (_camt, V02.replace(b'<Amt Ccy="EUR">99.50</Amt><CdtDbt', b"<CdtDbt"), 26, "no <Amt>"),
    "amount of letters": (_camt, V02.replace(b"99.50</Amt><CdtDbt", b"9x.50</Amt><CdtDbt"), 27, "9x.50"),
    "no direction": (_camt, V02.replace(b"<CdtDbtInd>DBIT</CdtDbtInd><RvslInd>", b"<RvslInd>"), 51, "CRDT nor DBIT"),
    "no such day": (_camt, V02.replace(b"2024-02-27</Dt></ValDt>", b"2024-02-31</Dt></ValDt>"), 14, "not a date"),
    "does not add up": (_camt, V02.replace(b"1611.60", b"1611.61"), 5, "does not add up"),
    "an entry removed": (_camt, V02[: V02.index(b"<Ntry>")] + V02[V02.index(b"</Ntry>") + 7 :], 5, "does not add up"),
    "another message": (_camt, b"<Document>\n<CstmrCdtTrfInitn/></Document>", 1, "no bank statement"),
    "latin-1 said to be utf-8": (_camt, V02.replace(b"ISO-8859-1", b"UTF-8"), 18, "well-formed"),
    "an entity": (_camt, ENTITY, 2, "entities"),
    "a document type in UTF-16": (_camt, IN_UTF_16, 1, "document types"),
    "no closing balance": (_mt940, MT940.replace(b":62F:C240228EUR1141,60\n", b"", 1), 1, ":62F:"),
    "a line of nonsense": (_mt940, MT940.replace(b":61:2402280228D7,90", b":61:24022802287,90"), 14, "statement line"),
    "an amount changed": (_mt940, MT940.replace(b"D7,90", b"D7,91"), 1, "does not add up"),
    "an unknown field": (_mt940, MT940.replace(b":64:", b":99:"), 17, ":99:"),
    "text before": (_mt940, b"hello\n" + MT940, 1, "before the first field"),
    "a day of letters": (_csv, CSV.replace(b"28.02.2024;28.02.2024;R", b"28.2024;28.02.2024;R"), 3, "not a date"),
    "a row cut off": (_csv, CSV[:-30], 4, "columns"),
    "an amount in csv": (_csv, CSV.replace(b"-7,90", b"-7,901"), 4, "not an amount"),
    "a column renamed": (_csv, CSV.replace(b";Betrag;", b";Amount;"), 1, "'Betrag'"),
    "an open quote": (_csv, CSV.replace(b'danke"""', b"danke"), 4, "not CSV"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_with_its_line(name: str) -> None:
    read, body, line, says = DAMAGED[name]

    with pytest.raises(StatementRefused) as refused:
        read(body)

    assert says in refused.value.detail
    assert refused.value.extra == {"line": line}


def booking(amount: int = 1_000, ref: str | None = "B-1", *, text: str = "", detailed: bool = True) -> Booking:
    entries = (Entry(1, "receipt", amount, remittance=text),)
    return Booking(1, "credit", amount, "EUR", date(2024, 2, 28), None, False, ref, detailed, entries)


def test_what_is_told_twice_is_new_once_and_equals_of_one_file_are_two() -> None:
    twice = [booking(350, None, text="Cafe"), booking(350, None, text="CAFE ")]
    first = rules.news(ACCOUNT, twice, {})
    known = {each.key: Known(2) for each in first}

    assert [each.occurrence for each in first] == [1, 2]
    assert len({each.key for each in first}) == 1, "blanks and letters make no difference"
    assert rules.news(ACCOUNT, twice, known) == []
    [third] = rules.news(ACCOUNT, [*twice, booking(350, None, text="cafe")], known)
    assert third.occurrence == 3
    assert len(rules.news("DE1", twice, known)) == 2, "another account"


def test_a_booking_known_by_its_sum_is_replaced_by_its_details_and_not_the_other_way_round() -> None:
    bare, told = booking(detailed=False), booking(text="A-1")
    name = rules.key(ACCOUNT, bare)

    [recorded] = rules.news(ACCOUNT, [told], {name: Known(1, frozenset({1}))})

    assert rules.key(ACCOUNT, told) == name
    assert (recorded.occurrence, recorded.replaces) == (1, True)
    assert rules.news(ACCOUNT, [bare], {name: Known(1)}) == []
    assert rules.news(ACCOUNT, [bare], {name: Known(1, frozenset({1}))}) == []


@given(st.lists(st.sampled_from([booking(1), booking(2, None, text="x"), booking(3, "B-3")]), max_size=12), st.data())
def test_a_ledger_told_in_any_pieces_is_recorded_once(bookings: list[Booking], data: st.DataObject) -> None:
    """However a day's bookings are spread over files that each repeat the day so far, each is recorded once."""
    recorded: dict[str, Known] = {}
    count = 0
    for upto in [*sorted(data.draw(st.lists(st.integers(0, len(bookings)), max_size=4))), len(bookings)]:
        for each in rules.news(ACCOUNT, bookings[:upto], dict(recorded)):
            recorded[each.key] = Known(each.occurrence)
            count += 1

    assert count == len(bookings)


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._/#-]{0,63}\Z"))
def test_every_invoice_number_has_a_valid_reference_that_is_found_again_as_payers_write_it(number: str) -> None:
    reference = payment_reference(number)

    assert reference == payment_reference(number)
    assert 5 <= len(reference) <= 25
    for written in (
        reference,
        printed(reference),
        reference.lower(),
        f"Ref.: {printed(reference)}, paid",
        f"/{reference}/",
    ):
        assert references_in(written) == [reference]


def test_a_reference_with_a_wrong_digit_is_none() -> None:
    assert payment_reference("539007547034") == "RF18539007547034"
    assert references_in("RF19 5390 0754 7034") == []
    assert references_in("RF18 5390 0754 7034 and RF73DW000042") == ["RF18539007547034", "RF73DW000042"]
    assert references_in(None) == []


async def test_the_database_makes_the_same_references(books: Receivables) -> None:
    numbers = ["DW-000042", "A-1", "a/1#b", "X" * 21, "X" * 22, "9" * 64, "2024.08_15", "Z"]

    made = await books.database.pool.fetch("select n, rf_reference(n) as rf from unnest($1::text[]) n", numbers)

    assert {row["n"]: row["rf"] for row in made} == {each: payment_reference(each) for each in numbers}
