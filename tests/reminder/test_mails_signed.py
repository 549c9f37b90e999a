"""A reminder is signed by the person who looks after the account."""

from __future__ import annotations

from datetime import date

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
