"""A file of what was learned about customers: each line is taken or refused by itself."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.credit.client import Credit, problem

FILE = """\
external_id,kind,source,dated_on,expires_on,currency,score,months,invoices,average_days_late,late_share,recommended_limit
{known},credit_report,Bureau,2012-01-02,,EUR,72,,,,,2500.00
{known},payment_history,old ERP,2011-12-31,,,,24,180,9,0.25,
"""


async def send(credit: Credit, text: str | bytes) -> httpx.Response:
    headers = {"idempotency-key": str(uuid4()), "content-type": "text/csv"}
    return await credit.http.post("/v1/vetting-imports", content=text, headers=headers)


async def test_reports_and_payment_histories_come_in_by_file_and_count(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()

    answer = await send(credit, FILE.format(known=customer["external_id"]))

    assert answer.json()["refused"] == [], answer.text
    inputs = (await credit.get(f"/v1/customers/{customer['id']}/vetting-inputs"))["items"]
    assert [input["id"] for input in inputs] == answer.json()["taken"][::-1]
    history, report = (input["particulars"] for input in inputs)
    assert (history["average_days_late"], history["late_share"]) == (9, "0.25")
    assert report["recommended_limit"] == {"amount": "2500.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("nobody,credit_report,Bureau,2012-01-02,,,72,,,,,", "external_id"),
        ("{known},credit_report,Bureau,2012-01-04,,,72,,,,,", "dated_on"),
        ("{known},credit_report,Bureau,2011-01-04,,,72,,,,,", "expires_on"),
        ("{known},credit_report,Bureau,2012-13-04,,,72,,,,,", "dated_on"),
        ("{known},credit_report,,2012-01-02,,,72,,,,,", "source"),
        ("{known},credit_report,Bureau,2012-01-02,,,101,,,,,", "score"),
        ("{known},credit_report,Bureau,2012-01-02,,EUR,72,,,,,-1.00", "recommended_limit"),
        ("{known},credit_report,Bureau,2012-01-02,,XXX,72,,,,,1.00", "recommended_limit"),
        ("{known},credit_report,Bureau,2012-01-02,,,72,12,,,,", "months"),
        ("{known},horoscope,Bureau,2012-01-02,,,72,,,,,", None),
        ("{known},credit_report,Bureau", None),
    ],
)
async def test_a_line_that_cannot_be_taken_is_named_and_the_others_are_taken(
    credit_in_2012: Credit, line: str, field: str | None
) -> None:
    customer = await credit_in_2012.onboard()

    answer = await send(credit_in_2012, (FILE + line + "\n").format(known=customer["external_id"]))

    assert answer.status_code == 201, answer.text
    assert len(answer.json()["taken"]) == 2
    [refused] = answer.json()["refused"]
    assert (refused["line"], refused["field"]) == (4, field), refused


@pytest.mark.parametrize("text", ["", "external_id,kind\n", b"\xff", 'external_id,kind,source,dated_on\n"a'])
async def test_what_is_no_such_file_is_refused_whole(credit: Credit, text: str | bytes) -> None:
    assert problem(await send(credit, text), 422) == "unusable-file"
