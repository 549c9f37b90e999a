"""A customer may belong to another one, and be written to by way of it."""

from __future__ import annotations

from typing import Any

from tests.credit.client import ACME, Credit, problem


async def onboard(credit: Credit, name: str, **more: Any) -> dict[str, Any]:
    answer = await credit.post("/v1/customers", {**ACME, "external_id": name, "name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(credit: Credit, customer: dict[str, Any], **changes: Any) -> Any:
    current = await credit.get(f"/v1/customers/{customer['id']}")
    headers = {"if-match": f'"{current["version"]}"'}
    return await credit.http.patch(f"/v1/customers/{customer['id']}", json=changes, headers=headers)


async def test_a_subsidiary_names_its_parent_and_both_stand_in_the_event(credit: Credit) -> None:
    parent = await onboard(credit, "Holding")
    child = await onboard(credit, "Branch", parent_id=parent["id"], contact_parent=True)

    assert (child["parent_id"], child["contact_parent"]) == (parent["id"], True)
    told = [event["data"]["customer"] for event in await credit.published() if event["type"] == "customer.onboarded"]
    assert [(one["name"], one["parent_id"], one["contact_parent"]) for one in told] == [
        ("Holding", None, False),
        ("Branch", parent["id"], True),
    ]
    freed = (await change(credit, child, parent_id=None, contact_parent=False)).json()
    assert (freed["parent_id"], freed["contact_parent"]) == (None, False)


async def test_a_parent_that_nobody_knows_is_refused(credit: Credit) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    answer = await credit.post("/v1/customers", {**ACME, "parent_id": unknown})
    assert problem(answer, 422) == "parent-refused"
    assert "/parent_id" in answer.text
    without = await credit.post("/v1/customers", {**ACME, "contact_parent": True})
    assert "/contact_parent" in without.text


async def test_nobody_is_its_own_parent_not_even_over_others(credit: Credit) -> None:
    top = await onboard(credit, "Top")
    middle = await onboard(credit, "Middle", parent_id=top["id"])
    low = await onboard(credit, "Low", parent_id=middle["id"])
    for below in (top, middle, low):
        assert problem(await change(credit, top, parent_id=below["id"]), 422) == "parent-refused"
    assert (await change(credit, low, parent_id=top["id"])).status_code == 200


async def test_a_contact_person_has_a_number_with_its_country(credit: Credit) -> None:
    ada = {"role": "billing", "name": "Ada Lang", "email": "ada@acme.example"}
    kept = await onboard(credit, "Acme", contacts=[{**ada, "phone": "+49 (30) 123-4567"}])
    assert kept["contacts"][0]["phone"] == "+49301234567"
    wrong = await credit.post("/v1/customers", {**ACME, "contacts": [{**ada, "phone": "030 1234567"}]})
    assert wrong.status_code == 422
