"""Review packs: whether the probabilities held, how well scores told who would default, overrides and losses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from services.credit.review_packs import rules
from services.credit.review_packs.rules import Observed
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem

DAY = date(2012, 1, 3)
PERIOD = {"from": "2012-01-01", "to": "2012-12-31"}


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def observed(defaulted_after_days: int | None = None, score: int = 500, pd: str = "0.03", **more: Any) -> Observed:
    on = None if defaulted_after_days is None else DAY + timedelta(days=defaulted_after_days)
    return Observed(uuid4(), DAY, score, "C", Decimal(pd), in_default=False, defaulted_on=on, **more)


@pytest.mark.parametrize(("days", "defaulted"), [(1, True), (364, True), (365, True), (366, False), (None, False)])
def test_a_default_counts_within_a_year_its_last_day_included(days: int | None, defaulted: bool) -> None:
    assert observed(days).defaulted is defaulted


@pytest.mark.parametrize(("days", "over"), [(364, False), (365, False), (366, True)])
def test_an_outcome_is_known_when_the_year_is_over_or_the_default_has_come(days: int, over: bool) -> None:
    today = DAY + timedelta(days=days)
    assert observed().is_over(today) is over
    assert observed(10).is_over(today) is True


SCORES = st.lists(st.integers(300, 320), min_size=1, max_size=12)


@given(SCORES, SCORES)
def test_gini_is_of_all_pairs_those_told_rightly_less_those_told_wrongly(good: list[int], bad: list[int]) -> None:
    pairs = [(g > b) - (g < b) for g, b in product(good, bad)]
    assert rules.gini(good, bad) == (Decimal(sum(pairs)) / len(pairs)).quantize(Decimal("0.0001"))


@given(SCORES, SCORES)
def test_ks_is_the_largest_distance_of_the_two_distributions(good: list[int], bad: list[int]) -> None:
    def share(scores: list[int], at: int) -> Decimal:
        return Decimal(sum(score <= at for score in scores)) / len(scores)

    largest = max(abs(share(bad, at) - share(good, at)) for at in range(299, 322))
    found = rules.ks(good, bad)
    assert found is not None
    assert abs(found - largest) <= Decimal("0.0001")


@pytest.mark.parametrize(
    ("good", "bad", "gini", "ks"),
    [
        ([3, 4], [1, 2], "1.0000", "1.0000"),
        ([1, 2], [3, 4], "-1.0000", "1.0000"),
        ([1, 2], [1, 2], "0.0000", "0.0000"),
        ([2, 4], [1, 3], "0.5000", "0.5000"),
    ],
)
def test_scores_that_tell_everything_nothing_or_half(good: list[int], bad: list[int], gini: str, ks: str) -> None:
    assert (rules.gini(good, bad), rules.ks(good, bad)) == (Decimal(gini), Decimal(ks))
    assert rules.gini(good, []) is None
    assert rules.ks([], bad) is None


@pytest.mark.parametrize(
    ("trials", "successes", "probability", "tail"),
    [(2, 0, 0.5, 1.0), (2, 1, 0.5, 0.75), (2, 2, 0.5, 0.25), (10, 3, 0.1, 0.0702), (5, 1, 0.0, 0.0), (5, 1, 1.0, 1.0)],
)
def test_how_likely_so_many_defaults_or_more_are(trials: int, successes: int, probability: float, tail: float) -> None:
    """10 trials at 0.1, three or more: 0.0702, in any table of the binomial distribution."""
    assert rules.binomial_tail(trials, successes, probability) == pytest.approx(tail, abs=0.00005)


def test_a_class_stands_with_what_was_expected_and_what_came() -> None:
    members = [observed(30, pd="0.02"), observed(pd="0.04"), observed(400, pd="0.03"), observed(pd="0.03")]
    outcomes = {each.risk_class: each for each in rules.class_outcomes(members)}
    assert (outcomes["C"].customers, outcomes["C"].defaults) == (4, 1)
    assert (outcomes["C"].expected, outcomes["C"].actual) == (Decimal("0.0300"), Decimal("0.2500"))
    assert (outcomes["A"].customers, outcomes["A"].expected, outcomes["A"].tail) == (0, None, None)


async def pack(credit: Credit, **query: Any) -> dict[str, Any]:
    return await credit.get("/v1/review-packs", **{**PERIOD, **query})


async def on(credit: Credit, moment: str) -> None:
    await credit.database.pool.execute("update clock set now = $1::text::timestamptz", moment)


async def assessed(credit: Credit) -> str:
    customer = (await credit.onboard())["id"]
    answer = await credit.post(f"/v1/customers/{customer}/assessments", {})
    assert answer.status_code == 201, answer.text
    return customer


async def test_defaults_are_invoices_too_long_overdue_or_written_off_within_a_year(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    lost, late, overdue, just_in_time, disputed, sound = [await assessed(credit) for _ in range(6)]
    due = date(2012, 4, 1)
    invoices = {who: Invoice(UUID(who), 1000, due_on=due) for who in (lost, late, overdue, just_in_time, disputed)}
    await credit.hear(*(invoice.issue() for invoice in invoices.values()))
    await credit.hear(invoices[lost].write_off(on=date(2012, 5, 1)), invoices[disputed].dispute(1000))
    for who, days in ((late, 91), (just_in_time, 90)):
        await credit.hear(invoices[who].pay(1000, on=due + timedelta(days=days)))
    await on(credit, "2013-01-04 08:00Z")

    found = (await pack(credit))["scorecard"]

    assert (found["name"], found["versions"], found["owner"]) == ("standard", [1], "Head of credit")
    assert (found["customers"], found["defaults"], found["too_early"], found["in_default"]) == (6, 3, 0, 0)
    [only] = [each for each in found["classes"] if each["customers"]]
    assert (only["risk_class"], only["expected"], only["actual"]) == ("C", "0.0300", "0.5000")
    assert (found["gini"], found["ks"]) == ("0.0000", "0.0000"), "one score for all tells nobody apart"
    assert sound not in invoices


async def test_whose_year_is_not_over_and_who_was_in_default_already_do_not_count(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    bad = (await credit.onboard())["id"]
    await credit.hear(Invoice(UUID(bad), 1000, due_on=date(2011, 9, 1)).issue())
    await credit.post(f"/v1/customers/{bad}/assessments", {})
    await assessed(credit)

    for day, customers, too_early in (("2013-01-02", 0, 1), ("2013-01-03", 1, 0)):
        await on(credit, f"{day} 08:00Z")
        found = (await pack(credit))["scorecard"]
        assert (found["in_default"], found["customers"], found["too_early"]) == (1, customers, too_early)


async def order(credit: Credit, customer: str, amount: str, reference: str, passes: bool = False) -> None:
    body = {"customer_id": customer, "amount": money(amount), "reference": reference}
    made = (await credit.post("/v1/credit-decisions", body)).json()
    if passes:
        override = {"reason": "Known for years", "expires_at": "2012-02-01T00:00:00Z"}
        answer = await credit.post(f"/v1/credit-decisions/{made['id']}/overrides", override)
        assert answer.status_code == 201, answer.text
        await credit.post("/v1/credit-decisions", body)


async def traded(credit: Credit) -> str:
    """An order let pass and lost, one let pass and never invoiced, one approved and paid."""
    customer = await assessed(credit)
    await order(credit, customer, "60000.00", "PO 1", passes=True)
    await order(credit, customer, "70000.00", "PO 2", passes=True)
    await order(credit, customer, "1000.00", "PO 3")
    lost, paid = Invoice(UUID(customer), 6_000_000), Invoice(UUID(customer), 100_000)
    issued = [lost.issue().model_copy(update={"customer_reference": "PO 1"})]
    issued.append(paid.issue().model_copy(update={"customer_reference": "PO 3"}))
    await credit.hear(*issued, lost.pay(1_000_000), lost.write_off(), paid.pay(100_000))
    return customer


async def test_overrides_stand_with_what_became_of_them_and_losses_with_what_was_decided(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    await on(credit, "2012-01-03 08:01Z")
    customer = await traded(credit)

    found = (await pack(credit, to="2012-01-03"))["policy"]

    assert found["decisions"] == {"approved": 3, "declined": 2}
    assert found["reasons"]["over_limit"] == 4
    assert found["overrides"] == {"not_invoiced": 1, "written_off": 1}
    first, second = found["overridden"]
    assert (first["reference"], first["customer_id"], first["overridden_by"]) == ("PO 1", customer, "anna")
    assert (first["declined_for"], first["became"], first["lost"]) == (
        ["over_limit"],
        "written_off",
        money("50000.00"),
    )
    assert (second["reference"], second["became"], second["lost"]) == ("PO 2", "not_invoiced", None)
    approved, overridden = found["sold"]
    assert (approved["outcome"], approved["risk_class"], approved["lost_invoices"]) == ("approved", "C", 0)
    assert (overridden["outcome"], overridden["lost"], overridden["amount"]) == (
        "overridden",
        money("50000.00"),
        money("60000.00"),
    )


async def test_what_changed_of_the_policy_in_the_period_is_told(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    for version, day, amount in ((1, "03", "1.00"), (2, "04", "2.00"), (3, "05", "3.00")):
        await on(credit, f"2012-01-{day} 08:00Z")
        body = {"limits": [{"segment": None, "limit": money(amount)}], "owner": "Ada", "review_on": "2012-01-04"}
        assert (await credit.change("PUT", "/v1/credit-policy", version, body)).status_code == 200

    found = (await pack(credit, **{"from": "2012-01-04", "to": "2012-01-04"}))["policy"]

    assert (found["version"], found["owner"], found["review_overdue"]) == (4, "Ada", True)
    assert [(each["version"], each["says"]) for each in found["changes"]] == [
        (3, ["The limit in EUR for every other segment: 2.00 EUR instead of 1.00 EUR."])
    ]


async def test_the_pack_is_a_pdf_to_be_read(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await traded(credit)

    answer = await credit.http.get("/v1/review-packs/document.pdf", params={**PERIOD, "to": "2012-01-03"})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    for told in ("Credit review", "Scorecard standard", "Known for years", "50\u202f000.00 EUR", "Gini"):
        assert told in text


async def test_a_period_that_cannot_be_looked_at_is_refused(credit_in_2012: Credit) -> None:
    for query, pointer in (
        ({"from": "2012-01-03", "to": "2012-01-02"}, "#/to"),
        ({"from": "2012-01-03", "to": "2012-01-04"}, "#/to"),
        ({"from": "2008-01-03", "to": "2012-01-03"}, "#/from"),
    ):
        assert list(names(await credit_in_2012.http.get("/v1/review-packs", params=query))) == [pointer]
    query = {"from": "2012-01-03", "to": "2012-01-03", "scorecard": "none"}
    assert problem(await credit_in_2012.http.get("/v1/review-packs", params=query), 404) == "scorecard-not-found"
