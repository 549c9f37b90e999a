"""How amounts within a sentence read on the pages for staff."""

from __future__ import annotations

import pytest

from shared.words import amounts_in


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("31481.87 EUR is too much: the limit is 50000.00 EUR", "€31,481.87 is too much: the limit is €50,000.00"),
        ("1 invoice (550716 JPY) is overdue", "1 invoice (¥550,716) is overdue"),
        ("-3.00 USD", "−$3.00"),
        ("at 14:00 UTC, under 12 CFR 1006.14", "at 14:00 UTC, under 12 CFR 1006.14"),
        ("1.2345 EUR", "1.2345 EUR"),
        ("2024-00012 USD 5", "2024-00012 USD 5"),
    ],
)
def test_amounts_read_as_elsewhere_on_the_page_and_nothing_else_is_touched(said: str, shown: str) -> None:
    assert amounts_in(said) == shown
