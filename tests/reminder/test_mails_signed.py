"""A reminder is signed by the person who looks after the account."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep


async def look_after(desk: Desk, customer_id: object, owner: str) -> None:
    await desk.database.pool.execute(
        "insert into looked_after (customer_id, entity_id, owner) values ($1, 'default', $2)", customer_id, owner
    )


def signed_by(desk: Desk) -> str:
    return desk.mails()[-1]["From"].addresses[0].display_name


async def test_the_owner_of_the_account_signs_and_answers_come_to_them(desk: Desk) -> None:
    await keep(desk, "maria", name="Maria Keller", phone="+49 30 1234567", email="maria@northwind.example")
    customer = await desk.onboard()
    await look_after(desk, customer.id, "maria")
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 2))
    assert signed_by(desk) == "Maria Keller (Northwind Trading)"
    text = desk.mails()[-1].get_body(("plain",))
    assert text is not None
    assert "Phone +49 30 1234567" in text.get_content()
    assert desk.mails()[-1]["Reply-To"] == "maria@northwind.example"


async def test_while_the_owner_is_away_whoever_stands_in_signs(desk: Desk) -> None:
    await keep(desk, "sam", name="Sam Cole")
    await keep(desk, "maria", name="Maria Keller", absent_from="2026-01-20", absent_until="2026-02-05", cover="sam")
    customer = await desk.onboard()
    await look_after(desk, customer.id, "maria")
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 2))
    assert signed_by(desk) == "Sam Cole (Northwind Trading)"
    await desk.until(date(2026, 2, 8))
    assert signed_by(desk) == "Maria Keller (Northwind Trading)"


async def test_what_nobody_looks_after_is_signed_by_the_seller(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 2))
    assert signed_by(desk) == "Northwind Trading"


SOUTH = {
    "from_name": "Southwind Accounts",
    "from_address": "accounts@southwind.example",
    "reply_to": "answers@southwind.example",
    "signature": ["Southwind Trading, 2 Quay Street", "Company number 0123456"],
}


async def appear(desk: Desk, entity_id: str, says: dict[str, Any], **headers: str) -> httpx.Response:
    return await desk.http.put(f"/v1/senders/{entity_id}", json=says, headers=headers or {"if-none-match": "*"})


async def test_each_entity_appears_as_it_has_said_and_the_others_as_before(desk: Desk) -> None:
    assert (await appear(desk, "south", SOUTH)).json() == {**SOUTH, "entity_id": "south", "version": 1}
    customer = await desk.onboard()
    await desk.issue(customer, date(2026, 2, 1))
    await desk.issue(customer, date(2026, 2, 1), number="S-1", entity_id="south")
    await desk.until(date(2026, 2, 3))
    first = {str(mail["From"]): mail for mail in desk.mails()}
    assert set(first) == {
        "Northwind Trading <receivables@northwind.example>",
        "Southwind Accounts <accounts@southwind.example>",
    }
    south = first["Southwind Accounts <accounts@southwind.example>"]
    assert south["Reply-To"] == "answers@southwind.example"
    assert south["Message-ID"].endswith("@southwind.example>")
    for kind in ("plain", "html"):
        body = south.get_body((kind,))
        assert body is not None
        assert "Southwind Trading, 2 Quay Street" in body.get_content()
    other = first["Northwind Trading <receivables@northwind.example>"].get_body(("plain",))
    assert other is not None
    assert "Quay Street" not in other.get_content()


async def test_a_colleague_signs_above_the_lines_of_the_house_and_answers_go_where_it_says(desk: Desk) -> None:
    await appear(desk, "default", {**SOUTH, "from_address": None})
    await keep(desk, "maria", name="Maria Keller", email="maria@northwind.example")
    customer = await desk.onboard()
    await look_after(desk, customer.id, "maria")
    await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 2))
    assert str(desk.mails()[-1]["From"]) == '"Maria Keller (Southwind Accounts)" <receivables@northwind.example>'
    assert desk.mails()[-1]["Reply-To"] == "answers@southwind.example"
    text = desk.mails()[-1].get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert said.index("Maria Keller") < said.index("Company number 0123456")


@pytest.mark.parametrize(
    ("says", "pointer"),
    [
        ({"from_address": "accounts@@southwind"}, "#/from_address"),
        ({"reply_to": "nobody"}, "#/reply_to"),
        ({"from_name": "Two\nlines"}, "#/from_name"),
        ({"signature": ["one"] * 7}, "#/signature"),
        ({"sender": "x"}, "#/sender"),
    ],
)
async def test_a_sender_that_no_mail_could_bear_is_refused(desk: Desk, says: dict[str, Any], pointer: str) -> None:
    answer = await appear(desk, "default", says)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await desk.get("/v1/senders/default"))["version"] == 0


async def test_of_two_who_change_a_sender_at_once_the_second_is_told(desk: Desk) -> None:
    await appear(desk, "default", SOUTH)
    assert (await appear(desk, "default", {}, **{"if-match": '"1"'})).status_code == 200
    assert (await appear(desk, "default", SOUTH, **{"if-match": '"1"'})).status_code == 412
    assert (await appear(desk, "default", SOUTH)).status_code == 412
