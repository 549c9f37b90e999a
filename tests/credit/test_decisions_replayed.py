"""A decision asked about a year later gives the answer it gave, whatever changed in between."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.credit.books import Invoice
from tests.credit.client import Credit
from tests.credit.test_scorecards import STANDARD

RATES = """<?xml version="1.0"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time='{day}'><Cube currency='USD' rate='{rate}'/></Cube></Cube></gesmes:Envelope>"""


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def send_rates(credit: Credit, day: str, rate: str) -> None:
    headers = {"idempotency-key": str(uuid4()), "content-type": "application/xml"}
    answer = await credit.http.post("/v1/rates", content=RATES.format(day=day, rate=rate), headers=headers)
    assert answer.status_code == 201, answer.text


async def decide(credit: Credit, customer_id: str, amount: dict[str, str], **more: Any) -> dict[str, Any]:
    answer = await credit.post("/v1/credit-decisions", {"customer_id": customer_id, "amount": amount, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change_policy(credit: Credit, amount: str, **rules: Any) -> None:
    """The policy in force with this limit for everybody."""
    version = (await credit.get("/v1/credit-policy"))["version"]
    body = {"limits": [{"segment": None, "limit": money(amount)}], "rules": rules}
    answer = await credit.change("PUT", "/v1/credit-policy", version, body)
    assert answer.status_code == 200, answer.text
    await credit.tick()


async def test_a_decision_of_a_year_ago_gives_the_answer_that_was_given(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    top = await credit.onboard()
    customer = await credit.onboard(parent_id=top["id"])
    limit = {"limit": money("45000.00"), "reason": "x"}
    await credit.change("PUT", f"/v1/customers/{top['id']}/group-limit", 0, limit)
    await send_rates(credit, "2012-01-02", "1.2935")
    await change_policy(credit, "50000.00", refer_over_percent=10)
    await credit.post(f"/v1/customers/{customer['id']}/assessments", {})
    await credit.hear(Invoice(UUID(customer["id"]), 1_000_000, "USD").issue())
    given = [
        await decide(credit, customer["id"], money("20000.00"), reference="PO 1", reserve=True),
        await decide(credit, customer["id"], money("40000.00"), reference="PO 2", reserve=True),
        await decide(credit, customer["id"], money("1000.00", "USD"), purpose="invoice"),
        await decide(credit, top["id"], money("54000.00")),
    ]
    assert [each["outcome"] for each in given] == ["approved", "declined", "approved", "declined"]

    await credit.database.pool.execute("update clock set now = '2013-01-04 08:00Z'")
    await credit.tick()
    await change_policy(credit, "1.00", refer_over_percent=0, rate_days_max=0, holds={"overdue_days_above": 0})
    await send_rates(credit, "2013-01-03", "9.9999")
    await credit.change("PUT", f"/v1/customers/{top['id']}/group-limit", 1, {"limit": money("2.00"), "reason": "y"})
    harsher = STANDARD.replace("base_points: 500", "base_points: 100")
    await credit.http.put("/v1/scorecards/standard", content=harsher, headers={"if-match": '"1"'})
    await credit.hear(Invoice(UUID(customer["id"]), 9_000_000).issue())
    await credit.tick()
    now = await decide(credit, customer["id"], money("20000.00"))
    assert (now["outcome"], now["limit"]) == ("declined", money("1.00"))

    for each in given:
        answer = await credit.http.post(f"/v1/credit-decisions/{each['id']}/replay")
        replayed = answer.json()
        assert replayed["same"] is True, answer.text
        assert replayed["decision"] == each
        assert [replayed[part] for part in ("outcome", "reasons", "available")] == [
            each[part] for part in ("outcome", "reasons", "available")
        ]


async def test_an_assessment_of_a_year_ago_gives_the_score_that_was_given(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    made = (await credit.post(f"/v1/customers/{customer['id']}/assessments", {})).json()
    await credit.database.pool.execute("update clock set now = '2013-01-04 08:00Z'")
    harsher = STANDARD.replace("base_points: 500", "base_points: 100")
    await credit.http.put("/v1/scorecards/standard", content=harsher, headers={"if-match": '"1"'})
    await credit.tick()
    assert (await credit.get(f"/v1/customers/{customer['id']}/credit"))["risk_class"] == "E"

    replayed = (await credit.http.post(f"/v1/assessments/{made['id']}/replay")).json()

    assert replayed["same"] is True
    assert replayed["replayed"]["risk_class"] == "C"
