from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.credit.client import ACME, Credit, names, problem

AT_ONCE = {"net_days": 0, "prepaid_percent": 0, "deposit": None, "source": "manual"}


async def test_an_onboarded_customer_is_kept_as_sent_and_announced_with_a_limit(credit: Credit) -> None:
    answer = await credit.post("/v1/customers", ACME)

    assert answer.status_code == 201
    customer = answer.json()
    as_sent = [name for name in ACME if name not in ("address", "payment_terms")]
    assert [customer[name] for name in as_sent] == [ACME[name] for name in as_sent]
    assert customer["payment_terms"] == {**AT_ONCE, "net_days": 30}
    assert customer["address"] == {**ACME["address"], "region": None}
    assert (customer["version"], customer["status"]) == (1, "active")
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/v1/customers/{customer['id']}"
    assert await credit.get(answer.headers["location"]) == customer

    onboarded, limit_changed = await credit.published()
    assert (onboarded["type"], onboarded["topic"], onboarded["version"]) == ("customer.onboarded", "ar.customer", 1)
    assert str(onboarded["subject"]) == customer["id"]
    assert (limit_changed["type"], limit_changed["topic"]) == ("credit.limit_changed", "ar.credit")
    assert limit_changed["subject"] != onboarded["subject"], "two aggregates never share a history"
    assert {str(event["key"]) for event in (onboarded, limit_changed)} == {customer["id"]}


async def test_what_is_not_sent_gets_a_sensible_default(credit: Credit) -> None:
    least = {"external_id": "L-1", "name": "Least Ltd", "country": "GB", "currency": "GBP"}

    customer = (await credit.post("/v1/customers", least)).json()

    assert (customer["language"], customer["time_zone"], customer["segment"]) == ("en", "UTC", "standard")
    assert customer["payment_terms"] == {**AT_ONCE, "net_days": 30, "source": "default"}
    assert (customer["contacts"], customer["address"]) == ([], None)


async def test_a_repeated_request_onboards_once(credit: Credit) -> None:
    first = await credit.post("/v1/customers", ACME, key="k-1")
    again = await credit.post("/v1/customers", ACME, key="k-1")

    assert (again.status_code, again.json()) == (201, first.json())
    assert len(await credit.published()) == 2


async def test_another_body_under_a_used_key_is_refused(credit: Credit) -> None:
    await credit.post("/v1/customers", ACME, key="k-1")

    answer = await credit.post("/v1/customers", {**ACME, "external_id": "C-2"}, key="k-1")

    assert problem(answer, 422) == "idempotency-key-reused"
    assert len((await credit.get("/v1/customers"))["items"]) == 1


async def test_without_an_idempotency_key_nothing_is_onboarded(credit: Credit) -> None:
    answer = await credit.http.post("/v1/customers", json=ACME)

    assert problem(answer, 400) == "idempotency-key-missing"
    assert await credit.published() == []


async def test_a_duplicate_external_id_is_refused_and_says_whose_it_is(credit: Credit) -> None:
    first = await credit.onboard(external_id="C-1")

    answer = await credit.post("/v1/customers", {**ACME, "name": "Another"})

    assert problem(answer, 409) == "duplicate-external-id"
    assert list(names(answer, 409)) == ["#/external_id"]
    assert answer.json()["customer_id"] == first["id"]
    assert len((await credit.get("/v1/customers"))["items"]) == 1


async def test_of_many_who_onboard_one_external_id_at_once_one_wins(credit: Credit) -> None:
    answers = await asyncio.gather(*(credit.post("/v1/customers", {**ACME, "name": f"N {n}"}) for n in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(await credit.published()) == 2


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"external_id": ""}, "#/external_id", "at least 1 character"),
    ({"external_id": "  "}, "#/external_id", "at least 1 character"),
    ({"external_id": "x" * 129}, "#/external_id", "at most 128"),
    ({"external_id": "a\nb"}, "#/external_id", "line breaks"),
    ({"external_id": None}, "#/external_id", "string"),
    ({"external_id": 7}, "#/external_id", "string"),
    ({"name": "a\x07b"}, "#/name", "control characters"),
    ({"name": "x" * 201}, "#/name", "at most 200"),
    ({"currency": "XXQ"}, "#/currency", "unknown currency"),
    ({"currency": "eur"}, "#/currency", "unknown currency"),
    ({"country": "UK"}, "#/country", "unknown country"),
    ({"country": "Germany"}, "#/country", "unknown country"),
    ({"language": "deutsch"}, "#/language", "unknown language"),
    ({"time_zone": "Berlin"}, "#/time_zone", "unknown time zone"),
    ({"segment": ""}, "#/segment", "at least 1 character"),
    ({"payment_terms": {"net_days": -1}}, "#/payment_terms/net_days", "greater than or equal to 0"),
    ({"payment_terms": {"net_days": 366}}, "#/payment_terms/net_days", "less than or equal to 365"),
    ({"payment_terms": {"net_days": 30.5}}, "#/payment_terms/net_days", "integer"),
    ({"payment_terms": {"net_days": 30, "discount": 2}}, "#/payment_terms/discount", "not a field"),
    ({"payment_terms": None}, "#/payment_terms", ""),
    ({"contacts": [{"role": "billing", "name": "A", "email": "nobody"}]}, "#/contacts/0/email", "not an e-mail"),
    ({"contacts": [{"role": "boss", "name": "A"}]}, "#/contacts/0/role", "billing"),
    ({"contacts": [{"role": "billing"}]}, "#/contacts/0/name", "required"),
    ({"contacts": [{"role": "billing", "name": "A"}] * 51}, "#/contacts", "50"),
    ({"contacts": "ap@acme.example"}, "#/contacts", "list"),
    ({"address": {"lines": [], "city": "Hamburg"}}, "#/address/lines", "at least 1 item"),
    ({"address": {"lines": ["Hafenstr. 1"]}}, "#/address/city", "required"),
    ({"vat": "DE1"}, "#/vat", "not a field"),
    ({"version": 3}, "#/version", "not a field"),
]


@pytest.mark.parametrize(("change", "pointer", "why"), BAD)
async def test_a_bad_field_is_named_and_nobody_is_onboarded(
    credit: Credit, change: dict[str, Any], pointer: str, why: str
) -> None:
    named = names(await credit.post("/v1/customers", {**ACME, **change}))

    assert list(named) == [pointer]
    assert why in named[pointer]
    assert await credit.published() == []


@pytest.mark.parametrize("net_days", [0, 1, 364, 365])
async def test_terms_from_at_once_to_a_year_are_taken(credit: Credit, net_days: int) -> None:
    terms = (await credit.onboard(payment_terms={"net_days": net_days}))["payment_terms"]
    assert terms == {**AT_ONCE, "net_days": net_days}


async def test_of_terms_what_is_not_sent_stays_and_null_takes_a_deposit_back(credit: Credit) -> None:
    deposit = {"amount": "5000.00", "currency": "EUR"}
    customer = await credit.onboard(payment_terms={"net_days": 14, "prepaid_percent": 30, "deposit": deposit})
    path = f"/v1/customers/{customer['id']}"
    for version, sent, told in (
        (1, {"net_days": 7}, {"net_days": 7, "prepaid_percent": 30, "deposit": deposit}),
        (2, {"net_days": 7, "deposit": None}, {"net_days": 7, "prepaid_percent": 30, "deposit": None}),
        (3, {"net_days": 7, "prepaid_percent": 0}, {"net_days": 7, "prepaid_percent": 0, "deposit": None}),
    ):
        answer = await credit.change("PATCH", path, version, {"payment_terms": sent})
        assert answer.json()["payment_terms"] == {**told, "source": "manual"}
        event = (await credit.published(customer["id"]))[-1]
        assert (event["type"], event["data"]["customer"]["payment_terms"]) == ("customer.terms_changed", told)
        assert event["data"]["source"] == "manual"


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"prepaid_percent": 101}, "#/payment_terms/prepaid_percent"),
        ({"prepaid_percent": -1}, "#/payment_terms/prepaid_percent"),
        ({"deposit": {"amount": "-0.01", "currency": "EUR"}}, "#/payment_terms/deposit/amount"),
        ({"deposit": {"amount": "1.00", "currency": "USD"}}, "#/payment_terms/deposit/currency"),
    ],
)
async def test_terms_that_cannot_be_are_refused_with_their_place(
    credit: Credit, terms: dict[str, Any], pointer: str
) -> None:
    body = {**ACME, "external_id": "C-2", "payment_terms": {"net_days": 14, **terms}}
    assert list(names(await credit.post("/v1/customers", body))) == [pointer]
    customer = await credit.onboard()
    answer = await credit.change(
        "PATCH", f"/v1/customers/{customer['id']}", 1, {"payment_terms": body["payment_terms"]}
    )
    assert list(names(answer)) == [pointer]


async def test_a_deposit_asked_for_keeps_the_currency_until_it_is_taken_back(credit: Credit) -> None:
    deposit = {"amount": "5000.00", "currency": "EUR"}
    customer = await credit.onboard(payment_terms={"net_days": 14, "deposit": deposit})
    path = f"/v1/customers/{customer['id']}"
    answer = await credit.change("PATCH", path, 1, {"currency": "USD"})
    assert list(names(answer)) == ["#/payment_terms/deposit/currency"]
    both = {"currency": "USD", "payment_terms": {"net_days": 14, "deposit": None}}
    assert (await credit.change("PATCH", path, 1, both)).status_code == 200


async def test_every_bad_field_is_named_at_once(credit: Credit) -> None:
    answer = await credit.post("/v1/customers", {"name": "", "country": "?", "currency": "?", "time_zone": "?"})

    assert set(names(answer)) == {"#/external_id", "#/name", "#/country", "#/currency", "#/time_zone"}


@pytest.mark.parametrize("body", ["", "{", "[]", '"Acme"', "null"])
async def test_what_is_no_customer_at_all_is_refused(credit: Credit, body: str) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}

    answer = await credit.http.post("/v1/customers", content=body, headers=headers)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_customers_are_found_by_the_callers_own_id(credit: Credit) -> None:
    customer = await credit.onboard(external_id="K/4 711")
    await credit.onboard()

    assert (await credit.get("/v1/customers", external_id="K/4 711")) == {"items": [customer], "next_cursor": None}
    assert (await credit.get("/v1/customers", external_id="K/4")) == {"items": [], "next_cursor": None}


async def test_the_list_goes_on_where_the_page_ended(credit: Credit) -> None:
    onboarded = [(await credit.onboard())["id"] for _ in range(7)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await credit.get("/v1/customers", limit=3, **cursor)
        seen += [customer["id"] for customer in page["items"]]
        assert len(page["items"]) <= 3
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == onboarded


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 501}, 422),
        ({"limit": "x"}, 422),
        ({"cursor": "nonsense"}, 400),
        ({"external_id": ""}, 422),
        ({"name": "Acme"}, 422),
    ],
)
async def test_a_bad_query_is_refused(credit: Credit, query: dict[str, Any], status: int) -> None:
    problem(await credit.http.get("/v1/customers", params=query), status)


async def test_an_unknown_customer_is_not_found(credit: Credit) -> None:
    assert problem(await credit.http.get(f"/v1/customers/{uuid4()}"), 404) == "customer-not-found"
    problem(await credit.http.get("/v1/customers/42"), 422)


async def test_each_kind_of_change_is_an_event_with_a_version_of_its_own(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"

    body = {"name": "Acme AG", "payment_terms": {"net_days": 14}, "segment": "key"}
    answer = await credit.change("PATCH", path, 1, body)

    assert answer.status_code == 200
    assert answer.json() == {**customer, **body, "payment_terms": {**AT_ONCE, "net_days": 14}, "version": 4}
    assert answer.headers["etag"] == '"4"'
    assert await credit.get(path) == answer.json()
    told = [(e["type"], e["version"]) for e in await credit.published() if e["topic"] == "ar.customer"]
    assert told == [
        ("customer.onboarded", 1),
        ("customer.updated", 2),
        ("customer.terms_changed", 3),
        ("customer.segment_changed", 4),
    ]


async def test_a_change_to_what_already_is_tells_nobody(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"

    for body in ({}, {"name": customer["name"]}, {"contacts": customer["contacts"]}):
        answer = await credit.change("PATCH", path, 1, body)
        assert (answer.status_code, answer.json()) == (200, customer)

    assert len(await credit.published()) == 2


async def test_contacts_are_replaced_as_a_list_and_the_address_goes_by_null(credit: Credit) -> None:
    customer = await credit.onboard()
    contacts = [{"role": "escalation", "name": "Bo", "email": None, "phone": None}]

    answer = await credit.change("PATCH", f"/v1/customers/{customer['id']}", 1, {"contacts": contacts, "address": None})

    assert (answer.json()["contacts"], answer.json()["address"], answer.json()["version"]) == (contacts, None, 2)


async def test_a_stale_version_changes_nothing(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"
    await credit.change("PATCH", path, 1, {"name": "First"})

    answer = await credit.change("PATCH", path, 1, {"name": "Second"})

    assert problem(answer, 412) == "stale-version"
    assert answer.json()["current_version"] == 2
    assert (await credit.get(path))["name"] == "First"


async def test_of_two_changes_from_one_version_one_wins(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"

    answers = await asyncio.gather(*(credit.change("PATCH", path, 1, {"name": f"N {n}"}) for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    assert (await credit.get(path))["version"] == 2


async def test_a_change_names_the_version_it_starts_from(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"

    assert problem(await credit.change("PATCH", path, None, {"name": "X"}), 428) == "precondition-required"
    bad_tag = await credit.http.patch(path, json={"name": "X"}, headers={"if-match": "one"})
    problem(bad_tag, 400)
    assert (
        problem(await credit.change("PATCH", f"/v1/customers/{uuid4()}", 1, {"name": "X"}), 404) == "customer-not-found"
    )
    assert (await credit.get(path))["version"] == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": None}, "#/name"),
        ({"country": "ZZ"}, "#/country"),
        ({"currency": "ABC"}, "#/currency"),
        ({"language": ""}, "#/language"),
        ({"time_zone": "Mars/Olympus"}, "#/time_zone"),
        ({"payment_terms": {"net_days": 400}}, "#/payment_terms/net_days"),
        ({"contacts": [{"role": "billing", "name": "A", "email": "a@b"}]}, "#/contacts/0/email"),
        ({"external_id": "other"}, "#/external_id"),
        ({"status": "closed"}, "#/status"),
    ],
)
async def test_a_bad_change_names_the_field_and_changes_nothing(credit: Credit, body: dict, pointer: str) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"

    assert list(names(await credit.change("PATCH", path, 1, body))) == [pointer]
    assert await credit.get(path) == customer


async def test_a_token_is_needed_and_must_have_the_scope(credit: Credit, token: Callable[..., str]) -> None:
    path, key = "/v1/customers", {"idempotency-key": "k"}
    reader = {"authorization": f"Bearer {token('customers:read')}"}
    stranger = {"authorization": f"Bearer {token('invoices:write')}"}
    customer = await credit.onboard()

    assert (await credit.http.get(path, headers=reader)).status_code == 200
    assert problem(await credit.http.get(path, headers=stranger), 403) == "forbidden"
    assert problem(await credit.http.post(path, json=ACME, headers={**reader, **key}), 403) == "forbidden"
    one = f"{path}/{customer['id']}"
    change = await credit.http.patch(one, json={"name": "X"}, headers={**reader, "if-match": '"1"'})
    assert problem(change, 403) == "forbidden"
    assert problem(await credit.http.get(path, headers={"authorization": "Bearer x"}), 401) == "unauthenticated"
    assert problem(await credit.http.get(path, headers={"authorization": ""}), 401) == "unauthenticated"


async def test_text_of_any_language_comes_back_as_it_was_sent(credit: Credit) -> None:
    name = "株式会社 Ünïcødé – “O'Neill”; drop table customer;"

    customer = await credit.onboard(name=name, external_id="ключ-1")

    assert (await credit.get("/v1/customers", external_id="ключ-1"))["items"][0]["name"] == customer["name"] == name
