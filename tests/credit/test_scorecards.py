"""Scorecards as documents: what is shipped, what is refused and where, how a score comes about, and trials."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.credit.characteristics.rules import KNOWN, Asked, Kind
from services.credit.scorecards import rules
from services.credit.scorecards.rules import InvalidScorecard
from tests.credit.client import Credit, problem

STANDARD = Path("services/credit/scorecards/standard.yaml").read_text()

DOCUMENT = """\
name: small
title: A small one
owner: Ada
review_on: 2027-01-31
base_points: 100
characteristics:
  - name: years_trading
    bins:
      - {below: 2, points: -20, reason: young, says: Young}
      - {from: 2, below: 10, points: 0, reason: grown, says: Grown}
      - {from: 10, points: 30, reason: old, says: Old}
      - {missing: true, points: -5, reason: age_not_known, says: Not known}
  - name: insolvency
    bins:
      - {any_of: [none], points: 0, reason: clean, says: Clean}
      - {other: true, points: -90, reason: insolvency, says: On record}
      - {missing: true, points: 0, reason: not_asked, says: Not asked}
calibration:
  - {risk_class: E, probability_of_default: 0.2}
  - {score_from: 95, risk_class: C, probability_of_default: 0.05}
  - {score_from: 120, risk_class: A, probability_of_default: 0.01}
"""


def faults(document: str) -> list[tuple[int, str, str]]:
    """(line, pointer, reason) of each."""
    with pytest.raises(InvalidScorecard) as caught:
        rules.parse(document)
    return [(fault.line, fault.pointer, fault.detail) for fault in caught.value.faults]


async def test_the_shipped_document_is_what_a_new_database_has(credit: Credit) -> None:
    stored = await credit.get("/v1/scorecards/standard")
    assert (stored["version"], stored["document"], stored["published_by"]) == (1, STANDARD, None)


def test_the_shipped_card_names_every_class_and_puts_a_stranger_in_the_middle() -> None:
    card = rules.parse(STANDARD)
    assert {band.risk_class for band in card.calibration} == set(rules.CLASSES)
    assert rules.score(card, {}).risk_class == "C"
    best_of_others = {"bureau_score": Decimal(100), "z_score": Decimal(9), "years_trading": Decimal(50)}
    assert rules.score(card, {"bureau_score": Decimal(100)}).risk_class == "B"
    assert rules.score(card, best_of_others).risk_class == "A"
    assert rules.score(card, {**best_of_others, "insolvency": "open"}).risk_class == "E"


@pytest.mark.parametrize(
    ("years", "points"),
    [("-1", -20), ("1.9999", -20), ("2", 0), ("2.0001", 0), ("9.9999", 0), ("10", 30), ("10.0001", 30), (None, -5)],
)
def test_a_bin_begins_with_its_first_number_and_ends_before_its_last(years: str | None, points: int) -> None:
    value = Decimal(years) if years else None
    assert rules.score(rules.parse(DOCUMENT), {"years_trading": value}).score == 100 + points


@pytest.mark.parametrize(
    ("years", "insolvency", "score", "risk_class"),
    [
        ("2", None, 100, "C"),
        (None, None, 95, "C"),
        ("1", None, 80, "E"),
        ("10", None, 130, "A"),
        ("10", "past", 40, "E"),
    ],
)
def test_a_score_is_the_base_and_the_points_and_its_band_has_the_class(
    years: str | None, insolvency: str | None, score: int, risk_class: str
) -> None:
    values = {"years_trading": Decimal(years) if years else None, "insolvency": insolvency}
    found = rules.score(rules.parse(DOCUMENT), values)
    assert (found.score, found.risk_class) == (score, risk_class)
    points = sum(each.points for each in (*found.raised, *found.lowered, *found.neutral))
    assert points == score - 100


@pytest.mark.parametrize(
    ("change", "line", "pointer", "says"),
    [
        (("below: 10", "below: 11"), 11, "/characteristics/0/bins/2", "overlaps with bin 2"),
        (("below: 10", "below: 9"), 11, "/characteristics/0/bins/2/from", "no bin takes numbers from 9 to 10"),
        (("{below: 2,", "{from: 0, below: 2,"), 9, "/characteristics/0/bins/0/from", "no bin takes numbers below 0"),
        (
            ("{from: 10,", "{from: 10, below: 20,"),
            11,
            "/characteristics/0/bins/2/below",
            "no bin takes numbers from 20 on",
        ),
        (("from: 2, below: 10", "from: 10, below: 2"), 10, "/characteristics/0/bins/1/from", "nothing is between them"),
        (("{missing: true, points: -5", "{from: 99, points: -5"), 8, "/characteristics/0/bins", "missing: true"),
        (
            ("any_of: [none]", "any_of: [none, none]"),
            15,
            "/characteristics/1/bins/0/any_of/1",
            "stands in bin 1 already",
        ),
        (
            ("any_of: [none]", "any_of: [nowhere]"),
            15,
            "/characteristics/1/bins/0/any_of/0",
            "there is no 'nowhere' here",
        ),
        (("other: true", "any_of: [past]"), 14, "/characteristics/1/bins", "no bin takes open"),
        (
            ("name: insolvency", "name: horoscope"),
            13,
            "/characteristics/1/name",
            "there is no characteristic 'horoscope'",
        ),
        (
            ("name: insolvency", "name: years_trading"),
            15,
            "/characteristics/1/bins/0",
            "this characteristic is a number",
        ),
        (("points: -20", "points: many"), 9, "/characteristics/0/bins/0/points", "valid integer"),
        (("below: 2,", "below: true,"), 9, "/characteristics/0/bins/0/below", "a number is expected"),
        (("below: 2,", "below: 2, colour: red,"), 9, "/characteristics/0/bins/0/colour", "not permitted"),
        (("score_from: 120", "score_from: 95"), 21, "/calibration/2/score_from", "none twice"),
        (("default: 0.01", "default: 0.06"), 21, "/calibration/2/probability_of_default", "cannot be likelier"),
        (("default: 0.2", "default: 1.2"), 19, "/calibration/0/probability_of_default", "less than or equal to 1"),
        (("risk_class: C", "risk_class: F"), 20, "/calibration/1/risk_class", "'A', 'B', 'C', 'D' or 'E'"),
        (
            ("{risk_class: E,", "{score_from: 1, risk_class: E,"),
            19,
            "/calibration/0/score_from",
            "takes every score below",
        ),
        (("2027-01-31", "2027-02-30"), 4, "/review_on", "a date such as"),
        (("owner: Ada\n", ""), 1, "/owner", "required"),
    ],
)
def test_a_fault_is_shown_with_its_line_and_field(change: tuple[str, str], line: int, pointer: str, says: str) -> None:
    assert change[0] in DOCUMENT
    found = faults(DOCUMENT.replace(*change, 1))
    assert [(line, pointer)] == [each[:2] for each in found], found
    assert says in found[0][2]


def test_the_published_schema_takes_what_the_service_takes() -> None:
    validator = jsonschema.Draft202012Validator(rules.json_schema())
    for document in (STANDARD, DOCUMENT):
        written = yaml.safe_load(document)
        written["review_on"] = str(written["review_on"])
        validator.validate(written)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"name": "small"})


def _values(asked: Asked) -> st.SearchStrategy[Any]:
    if asked.kind is Kind.NUMBER:
        return st.decimals(-1000, 1000, places=4)
    return st.sampled_from(asked.categories or ("DE",))


_VALUES = {name: st.none() | _values(asked) for name, asked in KNOWN.items()}


@given(st.fixed_dictionaries({}, optional=_VALUES))
def test_every_customer_has_a_score_and_each_characteristic_counts_once(values: dict[str, Any]) -> None:
    card = rules.parse(STANDARD)
    found = rules.score(card, values)
    counted = [each.characteristic for each in (*found.raised, *found.lowered, *found.neutral)]
    assert sorted(counted) == sorted(each.name for each in card.characteristics)
    assert 0 <= found.probability_of_default <= 1


async def put(credit: Credit, name: str, document: str, **headers: str) -> Any:
    return await credit.http.put(f"/v1/scorecards/{name}", content=document, headers=headers)


async def test_versions_are_made_by_those_who_saw_the_last_one_and_kept(credit: Credit) -> None:
    created = await put(credit, "small", DOCUMENT, **{"if-none-match": "*"})
    assert (created.status_code, created.json()["version"]) == (201, 1), created.text
    again = await put(credit, "small", DOCUMENT, **{"if-match": '"1"'})
    assert again.json()["version"] == 1
    second = await put(credit, "small", DOCUMENT.replace("100", "101"), **{"if-match": '"1"'})
    assert second.json()["version"] == 2
    stale = await put(credit, "small", DOCUMENT, **{"if-match": '"1"'})
    assert problem(stale, 412) == "stale-version"
    assert (await credit.get("/v1/scorecards/small", version=1))["document"] == DOCUMENT
    other = await put(credit, "large", DOCUMENT, **{"if-none-match": "*"})
    assert problem(other, 409) == "scorecard-name-differs"


async def test_a_document_with_faults_is_refused_with_line_and_field(credit: Credit) -> None:
    broken = DOCUMENT.replace("below: 10", "below: 11")
    refused = await put(credit, "small", broken, **{"if-none-match": "*"})
    assert problem(refused, 422) == "invalid-scorecard"
    [error] = refused.json()["errors"]
    assert (error["line"], error["pointer"]) == (11, "#/characteristics/0/bins/2")
    check = await credit.http.post("/v1/scorecards/small/checks", content=broken)
    assert check.json()["publishable"] is False
    assert problem(await credit.http.get("/v1/scorecards/small"), 404) == "scorecard-not-found"


async def test_a_trial_tells_who_would_move_and_changes_nothing(credit: Credit) -> None:
    customers = [await credit.onboard() for _ in range(3)]
    for customer in customers:
        await credit.post(f"/v1/customers/{customer['id']}/assessments", {})
    await credit.onboard()  # Never assessed, so not on the book.
    before = await credit.published()
    harsher = STANDARD.replace("base_points: 500", "base_points: 460")

    answer = await credit.http.post("/v1/scorecards/standard/trials", content=harsher)

    trial = answer.json()
    assert (trial["customers"], trial["better"], trial["worse"]) == (3, 0, 3), answer.text
    assert trial["moves"] == [{"before": "C", "after": "D", "customers": 3}]
    assert {mover["customer_id"] for mover in trial["movers"]} == {customer["id"] for customer in customers}
    assert await credit.published() == before
    assert (await credit.get("/v1/scorecards/standard"))["version"] == 1

    same = (await credit.http.post("/v1/scorecards/standard/trials")).json()
    assert same["moves"] == [{"before": "C", "after": "C", "customers": 3}]
    assert same["movers"] == []
    assert problem(await credit.http.post("/v1/scorecards/none/trials"), 404) == "scorecard-not-found"
