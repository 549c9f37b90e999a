from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def test_an_order_within_the_limit_is_approved_with_the_figures(credit: Credit) -> None:
    customer = await credit.onboard()
    invoice = Invoice(UUID(customer["id"]), 1_000_000)
    await credit.hear(invoice.issue(), invoice.pay(1), Invoice(invoice.customer_id, 500, "USD").issue())
    body = {"customer_id": customer["id"], "amount": money("40000.01"), "reference": "PO 7"}

    answer = await credit.post("/v1/credit-decisions", body)

    assert answer.status_code == 201
    decision = answer.json()
    assert answer.headers["location"] == f"/v1/credit-decisions/{decision['id']}"
    assert (decision["outcome"], decision["reference"]) == ("approved", "PO 7")
    assert decision["reasons"] == ["within_limit", "other_currencies_not_counted"]
    assert (decision["limit"], decision["available"]) == (money("50000.00"), money("40000.01"))
    assert decision["requested"] == money("40000.01")
    assert decision["exposure"]["total"] == money("9999.99")
    assert decision["exposure"]["items"] == [money("9999.99"), money("5.00", "USD")]
    assert [part["open_invoices"] for part in decision["exposure"]["components"]] == [1, 1]
    assert "40000.01 EUR fits" in decision["explanation"]
    assert await credit.get(answer.headers["location"]) == decision

    [event] = [e for e in await credit.published(customer["id"]) if e["type"] == "credit.decision_made"]
    assert str(event["subject"]) == decision["id"]
    assert event["data"]["decision"]["outcome"] == "approved"
    assert event["data"]["decision"]["exposure"] == money("9999.99")
    assert event["data"]["reference"] == "PO 7"


async def test_one_minor_unit_too_much_is_declined(credit: Credit) -> None:
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), 4_999_900).issue())

    assert (await credit.decide(customer["id"], "1.00"))["outcome"] == "approved"
    declined = await credit.decide(customer["id"], "1.01")

    assert (declined["outcome"], declined["reasons"]) == ("declined", ["over_limit"])
    assert "1.01 EUR is too much" in declined["explanation"]


async def test_a_decision_reserves_nothing(credit: Credit) -> None:
    customer = await credit.onboard()

    answers = await asyncio.gather(*(credit.decide(customer["id"], "50000.00") for _ in range(5)))

    assert {answer["outcome"] for answer in answers} == {"approved"}


async def test_another_currency_than_the_limits_is_declined_for_want_of_a_rate(credit: Credit) -> None:
    customer = await credit.onboard()

    declined = await credit.decide(customer["id"], "1", "JPY")

    assert (declined["outcome"], declined["reasons"]) == ("declined", ["no_rate_for_requested_currency"])


async def test_a_decision_stays_as_it_was_given(credit: Credit) -> None:
    customer = await credit.onboard()
    given = await credit.decide(customer["id"], "100.00")

    path = f"/v1/customers/{customer['id']}/credit-limit"
    await credit.change("PUT", path, 1, {"limit": money("1.00"), "reason": "x"})
    await credit.hear(Invoice(UUID(customer["id"]), 700).issue())

    assert await credit.get(f"/v1/credit-decisions/{given['id']}") == given


async def test_decisions_are_listed_newest_first_page_by_page(credit: Credit) -> None:
    customer, other = await credit.onboard(), await credit.onboard()
    given = [(await credit.decide(customer["id"], f"{n}.00"))["id"] for n in range(1, 6)]
    await credit.decide(other["id"], "9.00")

    first = await credit.get("/v1/credit-decisions", customer_id=customer["id"], limit=3)
    rest = await credit.get("/v1/credit-decisions", customer_id=customer["id"], limit=3, cursor=first["next_cursor"])

    assert [decision["id"] for decision in first["items"] + rest["items"]] == given[::-1]
    assert rest["next_cursor"] is None


async def test_a_repeated_request_gets_the_first_answer(credit: Credit) -> None:
    customer = await credit.onboard()
    body = {"customer_id": customer["id"], "amount": money("1.00")}

    first = await credit.post("/v1/credit-decisions", body, key="k")
    await credit.hear(Invoice(UUID(customer["id"]), 9_000_000).issue())
    again = await credit.post("/v1/credit-decisions", body, key="k")

    assert again.json() == first.json()
    listed = await credit.get("/v1/credit-decisions", customer_id=customer["id"])
    assert len(listed["items"]) == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"customer_id": str(uuid4())}, "#/customer_id"),
    ({"customer_id": "C-1"}, "#/customer_id"),
    ({"customer_id": None}, "#/customer_id"),
    ({"amount": money("0.00")}, "#/amount/amount"),
    ({"amount": money("-5.00")}, "#/amount/amount"),
    ({"amount": money("1.001")}, "#/amount"),
    ({"amount": money("1.00", "QQQ")}, "#/amount"),
    ({"amount": money("9999999999999999")}, "#/amount"),
    ({"amount": "1.00"}, "#/amount"),
    ({"amount": {"amount": 1.5, "currency": "EUR"}}, "#/amount/amount"),
    ({"reference": "x" * 129}, "#/reference"),
    ({"reserve": True}, "#/reference"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD)
async def test_a_bad_question_names_the_field_and_is_not_answered(
    credit: Credit, change: dict[str, Any], pointer: str
) -> None:
    customer = await credit.onboard()
    body = {"customer_id": customer["id"], "amount": money("1.00"), **change}

    answer = await credit.post("/v1/credit-decisions", body)

    assert list(names(answer)) == [pointer]
    assert await credit.database.pool.fetchval("select count(*) from credit_decision") == 0


async def test_a_decision_that_was_never_given_is_not_found(credit: Credit) -> None:
    assert problem(await credit.http.get(f"/v1/credit-decisions/{uuid4()}"), 404) == "credit-decision-not-found"
    problem(await credit.http.get("/v1/credit-decisions"), 422)


async def test_asking_and_looking_need_different_scopes(credit: Credit, token: Callable[..., str]) -> None:
    customer = await credit.onboard()
    body = {"customer_id": customer["id"], "amount": money("1.00")}
    headers = {"authorization": f"Bearer {token('credit:read')}", "idempotency-key": "k"}

    asked = await credit.http.post("/v1/credit-decisions", json=body, headers=headers)
    looked = await credit.http.get("/v1/credit-decisions", params={"customer_id": customer["id"]}, headers=headers)

    assert problem(asked, 403) == "forbidden"
    assert looked.status_code == 200


def question(customer_id: str, amount: str = "1.00", asked_as: str | None = None, **more: Any) -> dict[str, Any]:
    return {"asked_as": asked_as or str(uuid4()), "customer_id": customer_id, "amount": money(amount), **more}


async def ask(credit: Credit, *questions: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await credit.post("/v1/credit-decisions/batches", {"questions": questions})
    assert answer.status_code == 201, answer.text
    return answer.json()["answers"]


async def test_many_questions_are_answered_at_once_in_their_order_and_with_the_figures_of_each(credit: Credit) -> None:
    first, second = await credit.onboard(), await credit.onboard()
    await credit.hear(Invoice(UUID(second["id"]), 4_999_900).issue())

    answers = await ask(
        credit,
        question(second["id"], "1.01", "a", reference="PO 1", correlation_id="work-1"),
        question(first["id"], "1.01", "b"),
        question(second["id"], "1.00", "c"),
    )

    assert [answer["asked_as"] for answer in answers] == ["a", "b", "c"]
    assert [answer["decision"]["outcome"] for answer in answers] == ["declined", "approved", "approved"]
    assert [answer["problem"] for answer in answers] == [None] * 3
    assert answers[0]["decision"]["available"] == money("1.00")
    assert await credit.get(f"/v1/credit-decisions/{answers[0]['decision']['id']}") == answers[0]["decision"]
    told = [event for event in await credit.published() if event["type"] == "credit.decision_made"]
    assert [str(event["subject"]) for event in told] == [answer["decision"]["id"] for answer in answers]
    correlations = await credit.database.pool.fetch(
        "select correlation from event_log where type like '%decision_made%' order by seq"
    )
    assert (
        correlations[0]["correlation"] == "work-1" != correlations[1]["correlation"] == correlations[2]["correlation"]
    )


async def test_a_question_that_cannot_be_answered_costs_only_itself(credit: Credit) -> None:
    customer = await credit.onboard()

    answers = await ask(credit, question(str(uuid4())), question(customer["id"], "0.00"), question(customer["id"]))

    unknown, nothing, good = answers
    assert unknown["decision"] is None
    assert unknown["problem"]["type"].endswith("/unknown-customer")
    assert unknown["problem"]["errors"][0]["pointer"] == "#/questions/0/customer_id"
    assert nothing["problem"]["errors"][0]["pointer"] == "#/questions/1/amount/amount"
    assert good["decision"]["outcome"] == "approved"


async def test_a_question_asked_again_gets_the_decision_that_was_made_in_whatever_company(credit: Credit) -> None:
    customer = await credit.onboard()
    [first] = await ask(credit, question(customer["id"], asked_as="a"))
    await credit.hear(Invoice(UUID(customer["id"]), 9_000_000).issue())

    other, again, twin, twin_again, changed = await ask(
        credit,
        question(customer["id"], asked_as="b"),
        question(customer["id"], asked_as="a"),
        question(customer["id"], asked_as="c"),
        question(customer["id"], asked_as="c"),
        question(customer["id"], "2.00", asked_as="a"),
    )

    assert again == first
    assert twin_again == twin
    assert other["decision"]["outcome"] == "declined"
    assert changed["problem"]["type"].endswith("/question-changed")
    assert changed["problem"]["errors"][0]["pointer"] == "#/questions/4/asked_as"
    listed = await credit.get("/v1/credit-decisions", customer_id=customer["id"])
    assert len(listed["items"]) == 3
    assert len([event for event in await credit.published() if event["type"] == "credit.decision_made"]) == 3


async def test_the_same_question_asked_from_many_sides_at_once_is_decided_once(credit: Credit) -> None:
    people = [(await credit.onboard())["id"] for _ in range(4)]
    questions = [question(person, asked_as=person) for person in people]

    asked = await asyncio.gather(*(ask(credit, *order) for order in (questions, questions[::-1]) * 4))

    for answers in asked:
        assert sorted(answers, key=str) == sorted(asked[0], key=str)
    assert await credit.database.pool.fetchval("select count(*) from credit_decision") == 4


@pytest.mark.parametrize("questions", [[], [{"customer_id": str(uuid4()), "amount": money("1.00")}], 101 * [1]])
async def test_a_batch_has_between_one_and_a_hundred_questions_each_with_a_name(
    credit: Credit, questions: list[Any]
) -> None:
    answer = await credit.post("/v1/credit-decisions/batches", {"questions": questions})
    assert problem(answer, 422) == "invalid-request"
