"""Reference rates: the European Central Bank's files, what they are worth on a day, and what is said where none is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from services.credit.rates import rules
from services.credit.rates.rules import Rates, RatesRefused, convert
from shared.money import Money
from tests.credit.client import Credit, problem

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
"""


def xml(**days: dict[str, str]) -> bytes:
    cubes = [
        f"<Cube time='{day[1:].replace('_', '-')}'>"
        + "".join(f"<Cube currency='{code}' rate='{rate}'/>" for code, rate in rates.items())
        + "</Cube>"
        for day, rates in days.items()
    ]
    return f"{HEAD}<Cube>{''.join(cubes)}</Cube></gesmes:Envelope>".encode()


DAILY = xml(_2024_06_28={"USD": "1.0705", "JPY": "171.94"})


async def send(credit: Credit, file: bytes) -> httpx.Response:
    headers = {"idempotency-key": str(uuid4()), "content-type": "application/xml"}
    return await credit.http.post("/v1/rates", content=file, headers=headers)


@pytest.mark.parametrize(
    "file",
    [
        DAILY,
        b"Date, USD, JPY, \n28 June 2024, 1.0705, 171.94, \n",
        b"\xef\xbb\xbfDate,USD,JPY,RUB,\n2024-06-28,1.0705,171.94,N/A,\n",
    ],
)
def test_the_files_of_the_ecb_say_the_same_in_each_of_their_shapes(file: bytes) -> None:
    assert rules.read(file) == [(date(2024, 6, 28), {"USD": Decimal("1.0705"), "JPY": Decimal("171.94")})]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "neither"),
        (b"<Cube", "well-formed"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (HEAD.encode() + b"<Cube/></gesmes:Envelope>", "no day"),
        (xml(_2024_06_28={"USD": "0"}), "above zero"),
        (xml(_2024_06_28={"USD": "-1.07"}), "above zero"),
        (xml(_2024_06_28={"USD": "1,07"}), "above zero"),
        (xml(_2024_06_28={"US": "1"}), "no currency"),
        (xml(_2024_06_28={"EUR": "1"}), "no currency"),
        (xml(_2024_02_30={"USD": "1"}), "not a day"),
        (xml(_2024_06_28={}), "no rate"),
        (b"Date,USD\n2024-06-28,1\n2024-06-28,1\n", "twice"),
        (b"Date,USD,JPY\n2024-06-28,1\n", "columns"),
        (b"Date,USD\n28 Juni 2024,1\n", "not a day"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(file: bytes, why: str) -> None:
    with pytest.raises(RatesRefused, match=why):
        rules.read(file)


RATES = Rates(date(2024, 6, 28), 1, {"USD": Decimal("1.0705"), "JPY": Decimal("171.94"), "KWD": Decimal("0.3283")})


@pytest.mark.parametrize(
    ("amount", "currency", "there"),
    [
        (Money(10_705, "USD"), "EUR", Money(10_000, "EUR")),
        (Money(10_000, "EUR"), "USD", Money(10_705, "USD")),
        (Money(10_000, "EUR"), "JPY", Money(17_194, "JPY")),
        (Money(17_194, "JPY"), "KWD", Money(32_830, "KWD")),
        (Money(1, "USD"), "USD", Money(1, "USD")),
        (Money(1, "USD"), "GBP", None),
        (Money(1, "GBP"), "USD", None),
    ],
)
def test_an_amount_goes_over_the_euro_and_nowhere_without_a_rate(
    amount: Money, currency: str, there: Money | None
) -> None:
    assert convert(amount, currency, RATES) == there


@pytest.mark.parametrize(
    ("today", "used"), [(date(2024, 6, 28), True), (date(2024, 7, 5), True), (date(2024, 7, 6), False)]
)
def test_rates_that_are_too_old_are_none(today: date, used: bool) -> None:
    assert (rules.fresh(RATES, today, 7) is not None) == used


async def test_rates_are_imported_told_and_found_by_their_day(credit: Credit) -> None:
    answer = await send(credit, xml(_2024_06_28={"USD": "1.0705"}, _2024_06_27={"USD": "1.0696"}))
    assert answer.status_code == 201, answer.text
    assert answer.json()["changed"] == ["2024-06-27", "2024-06-28"]

    sunday = await credit.get("/v1/rates", on="2024-06-30")
    assert (sunday["on"], sunday["rates"], sunday["source"]) == ("2024-06-28", {"USD": "1.0705"}, "ECB")
    assert (await credit.get("/v1/rates", on="2024-06-27"))["rates"] == {"USD": "1.0696"}
    assert problem(await credit.http.get("/v1/rates", params={"on": "2024-06-26"}), 404) == "no-rates"
    told = [event["data"] for event in await credit.published() if event["type"] == "rates.published"]
    assert [(one["effective_on"], one["rates"]["version"]) for one in told] == [("2024-06-27", 1), ("2024-06-28", 1)]


async def test_the_same_rates_again_are_no_news_and_a_correction_is(credit: Credit) -> None:
    await send(credit, DAILY)
    assert (await send(credit, DAILY)).json()["changed"] == []

    corrected = await send(credit, xml(_2024_06_28={"USD": "1.0706"}))

    assert corrected.json()["changed"] == ["2024-06-28"]
    assert (await credit.get("/v1/rates", on="2024-06-28"))["version"] == 2


async def test_a_bad_file_changes_nothing(credit_in_2012: Credit) -> None:
    assert problem(await send(credit_in_2012, b"hello"), 422) == "rates-refused"
    assert problem(await send(credit_in_2012, xml(_2012_01_04={"USD": "1.3"})), 422) == "rates-refused"
    assert problem(await credit_in_2012.http.get("/v1/rates"), 404) == "no-rates"
