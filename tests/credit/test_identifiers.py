"""Numbers of registers, tax offices and banks: what is taken, and what is said of what is not."""

from __future__ import annotations

import pytest

from services.credit.identifiers import rules
from services.credit.identifiers.rules import Kind


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("vat", "de 136.695.976", "DE136695976"),
        ("lei", "5299 00T8BM49AURSDO55", "529900T8BM49AURSDO55"),
        ("duns", "15-048-3782", "150483782"),
        ("de_register", "hrb 12345 b, Charlottenburg", "HRB 12345 B, Charlottenburg"),
        ("de_register", "HRA 7", "HRA 7"),
        ("gb_company", "445790", "00445790"),
        ("gb_company", "sc123456", "SC123456"),
        ("us_ein", "91-1144442", "911144442"),
        ("fr_siret", "732 829 320 00074", "73282932000074"),
        ("es_nif", "B-58378431", "B58378431"),
        ("ch_uid", "CHE-100.155.212", "CHE100155212"),
        ("at_register", "FN 122119m", "122119m"),
    ],
)
def test_a_number_that_fits_is_kept_without_its_dress(kind: Kind, given: str, kept: str) -> None:
    assert rules.check(kind, given) == kept


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("vat", "DE136695977"),
        ("vat", "136695976"),
        ("lei", "529900T8BM49AURSDO56"),
        ("duns", "15-048-378"),
        ("duns", "1504837820"),
        ("de_register", "12345"),
        ("de_register", "HRB"),
        ("de_register", "HRB 1234567"),
        ("gb_company", "12345"),
        ("gb_company", "123456789"),
        ("us_ein", "07-1144442"),
        ("us_ein", "91-114444"),
        ("fr_siren", "732829321"),
        ("es_nif", "B58378432"),
        ("pl_nip", "8567346216"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_itself_in_the_words(kind: Kind, given: str) -> None:
    with pytest.raises(ValueError, match=given):
        rules.check(kind, given)


@pytest.mark.parametrize("kind", rules.KINDS)
def test_the_example_of_each_kind_fits_and_is_kept_as_it_is_kept(kind: Kind) -> None:
    kept = rules.check(kind, rules.example_of(kind))
    assert rules.check(kind, kept) == kept


def test_an_iban_is_checked_by_its_country_and_its_digits() -> None:
    assert rules.check_iban("de02 1203 0000 0000 2020 51") == "DE02120300000000202051"
    for wrong in ("DE02120300000000202052", "DE0212030000000020205", "XX02120300000000202051"):
        with pytest.raises(ValueError, match="is not an IBAN"):
            rules.check_iban(wrong)


def test_a_bic_is_checked_by_its_form() -> None:
    assert rules.check_bic("byladem1001") == "BYLADEM1001"
    with pytest.raises(ValueError, match="is not a BIC"):
        rules.check_bic("BYLADEM10")
