"""The generated ledger is the same every time, is a good ledger, and looks like the book of a real seller."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.generate import DEFAULT, PAYER_TYPES, Parameters, ledger, payers, write
from deploy.local.ledger import Row, read
from deploy.local.profiles import COUNTRIES, GENERATED, profile
from tests.system.truth import Truth


@cache
def book(parameters: Parameters = DEFAULT) -> list[Row]:
    rows, faults = read(text(parameters).splitlines(keepends=True))
    assert faults == []
    return rows


@cache
def text(parameters: Parameters = DEFAULT) -> str:
    out = io.StringIO()
    write(ledger(parameters), out)
    return out.getvalue()


@cache
def truth() -> Truth:
    return Truth.of_rows(csv.DictReader(io.StringIO(text())))


def command(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.local.generate", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_same_parameters_make_the_same_ledger_in_every_process() -> None:
    arguments = ("--seed", "7", "--customers", "20", "--years", "1")
    first, again = command(*arguments, hash_seed="1"), command(*arguments, hash_seed="2")
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout == text(Parameters(seed=7, customers=20, years=1))


def test_another_seed_is_another_book() -> None:
    assert text(Parameters(seed=2)) != text()


def test_fewer_customers_are_the_first_of_more() -> None:
    assert list(payers(Parameters(customers=30))) == list(payers(DEFAULT))[:30]


@pytest.mark.parametrize(
    "arguments",
    [("--customers", "0"), ("--years", "0"), ("--start", "soon"), ("--start", "2024-01-15"), ("--seed", "x")],
)
def test_parameters_that_make_no_ledger_are_refused_in_words(arguments: tuple[str, str]) -> None:
    refused = command(*arguments)
    assert refused.returncode == 2
    assert arguments[0] in refused.stderr
    assert not refused.stdout


@settings(max_examples=20, deadline=None)
@given(
    st.builds(
        Parameters,
        seed=st.integers(0, 10**6),
        customers=st.integers(1, 40),
        years=st.integers(1, 4),
        start=st.dates(date(2000, 1, 1), date(2035, 1, 1)).map(lambda day: day.replace(day=1)),
    )
)
def test_whatever_the_parameters_the_ledger_is_a_good_one_within_its_years(parameters: Parameters) -> None:
    rows = ledger(parameters)
    out = io.StringIO()
    write(rows, out)
    read_back, faults = read(out.getvalue().splitlines(keepends=True))
    assert faults == [] or not rows
    for row in read_back:
        assert parameters.start <= row.invoice_date <= row.due_date <= parameters.end
        assert row.settled_date is None or row.settled_date <= parameters.end
        assert row.invoice_date.weekday() < 5 or row.invoice_date < parameters.start
        assert row.settled_date is None or row.settled_date.weekday() < 5
    assert [row.invoice_date for row in read_back] == sorted(row.invoice_date for row in read_back)


def test_the_default_is_two_years_of_about_eighty_customers() -> None:
    assert 1500 <= len(book()) <= 1800
    assert 70 <= len({row.customer_ref for row in book()}) <= 80
    assert (truth().first.year, truth().last) == (2024, date(2025, 12, 31))


def test_every_payer_type_is_there() -> None:
    assert set(Counter(payer.type for payer in payers(DEFAULT))) == set(PAYER_TYPES)


def test_customers_live_in_several_countries_and_pay_in_their_currency() -> None:
    assert {row.customer_ref[:2] for row in book()} == set(COUNTRIES)
    for row in book():
        assert row.amount.currency == COUNTRIES[row.customer_ref[:2]].currency
    assert {"EUR", "USD", "JPY", "KWD"} <= set(truth().currencies)


def test_a_customer_has_one_segment_one_channel_and_one_currency() -> None:
    habits = defaultdict(set)
    for row in book():
        habits[row.customer_ref].add((row.segment, row.channel, row.amount.currency))
    assert all(len(seen) == 1 for seen in habits.values())


def test_amounts_have_a_long_tail() -> None:
    euros = sorted(row.amount.minor for row in book() if row.amount.currency == "EUR")
    median, percentile_95 = euros[len(euros) // 2], euros[len(euros) * 95 // 100]
    assert percentile_95 > 5 * median
    top_fifth = sum(euros[len(euros) * 4 // 5 :])
    assert top_fifth > 0.5 * sum(euros)


def test_some_is_late_some_past_day_91_some_disputed_and_some_never_paid() -> None:
    rows = book()
    late = sum(1 for row in rows if (row.settled_date or truth().last) > row.due_date)
    assert 0.3 < late / len(rows) < 0.7
    past_day_91 = sum(1 for row in rows if ((row.settled_date or truth().last) - row.due_date).days >= 91)
    assert past_day_91 >= 20
    assert any(row.settled_date and (row.settled_date - row.due_date).days >= 91 for row in rows)
    assert 0.02 < sum(row.disputed for row in rows) / len(rows) < 0.1
    assert any(row.disputed and row.settled_date is None for row in rows)
    never = sum(1 for row in rows if row.settled_date is None and (truth().last - row.due_date).days > 150)
    assert 5 <= never < 0.05 * len(rows)


def test_days_sales_outstanding_is_that_of_a_real_seller() -> None:
    """In the currency most is sold in; on the way there every figure exists at every month end."""
    settled_in = [day for day in truth().month_ends() if day >= date(2024, 6, 30)]
    for day in settled_in:
        kpis = truth().kpis(day, "EUR")
        assert kpis.dso is not None
        assert 33 <= kpis.dso <= 65
        assert kpis.cei is not None
        assert 70 <= kpis.cei <= 97
        assert kpis.dso_countback is not None
    mean = sum(truth().kpis(day, "EUR").dso or 0 for day in settled_in) / len(settled_in)
    assert 40 <= mean <= 60


def test_the_book_does_not_die_before_its_last_day() -> None:
    """A dashboard of the last day shows items not due yet, and sales as in any other quarter."""
    last = truth().ageing(truth().last, "EUR")
    assert last.buckets["current"] > last.total * Decimal("0.3")
    assert all(last.buckets[name] for name in ("d1_30", "d31_60", "d91_plus"))


def test_less_is_sold_in_august_than_in_november() -> None:
    by_month = Counter(row.invoice_date.month for row in book(Parameters(customers=400)))
    assert by_month[8] < 0.8 * by_month[11]


def test_a_broken_customer_stops_paying_and_then_is_sold_nothing() -> None:
    broken = [payer for payer in payers(Parameters(customers=400)) if payer.type == "broken"]
    rows_of = defaultdict(list)
    for row in book(Parameters(customers=400)):
        rows_of[row.customer_ref].append(row)
    for payer in broken:
        assert payer.breaks_on
        for row in rows_of[payer.ref]:
            assert row.invoice_date <= payer.buys_until
            assert row.settled_date is None or row.settled_date < payer.breaks_on


def test_a_drifting_customer_gets_later_by_the_year() -> None:
    lateness = defaultdict(list)
    drifting = {payer.ref for payer in payers(DEFAULT) if payer.type == "drifting_late"}
    for row in book():
        if row.customer_ref in drifting and row.settled_date and not row.disputed:
            lateness[row.invoice_date.year].append((row.settled_date - row.due_date).days)
    first, second = (sum(lateness[year]) / len(lateness[year]) for year in (2024, 2025))
    assert first + 15 < second


def test_the_same_reference_is_always_the_same_customer() -> None:
    for payer in payers(DEFAULT):
        who = profile(payer.ref, payer.currency)
        assert who == profile(payer.ref, payer.currency)
        assert GENERATED.fullmatch(payer.ref)
        assert who.segment == payer.segment
        assert who.email.endswith(".example")
        assert who.email.isascii()
    names = Counter(profile(payer.ref, payer.currency).name for payer in payers(DEFAULT))
    assert max(names.values()) == 1


@pytest.mark.parametrize("ref", ["3993-QUNVJ", "DE-42-HBR", "XX-0042-HBR", "de-0042-hbr", "Müller & Sohn", "漢字"])
def test_a_customer_of_another_ledger_is_plain_english_in_utc(ref: str) -> None:
    who = profile(ref, "USD")
    assert (who.name, who.language, who.time_zone, who.country) == (f"Customer {ref}", "en", "UTC", "US")
    assert who.segment is None
    assert who.email.isascii()
    assert who.email.endswith(".example")


def test_the_page_about_the_generator_shows_what_comes_out() -> None:
    page = (Path(__file__).parents[2] / "docs" / "generator.md").read_text(encoding="utf-8")
    assert f"{len(book()):,} invoices of {len({row.customer_ref for row in book()})} customers" in page
    assert f"{truth().overdue_episodes():,}\noverdue at some time" in page
    for day in (date(2024, 6, 30), date(2024, 12, 31), date(2025, 6, 30), date(2025, 12, 31)):
        aged, kpis = truth().ageing(day, "EUR"), truth().kpis(day, "EUR")
        amounts = " | ".join(f"{amount:,.2f}" for amount in (aged.total, *aged.buckets.values()))
        assert f"| {day} | {amounts} | {kpis.dso} | {kpis.best_possible_dso} | {kpis.cei} |" in page
    for kind, share in PAYER_TYPES.items():
        assert f"| {kind.replace('_', ' ')} | {share} |" in page
