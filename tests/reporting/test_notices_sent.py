"""Messages that the invoice service sends are kept in the feed and move no figure."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from shared.events.invoice import NoticeSent
from tests.reporting.client import Reporting
from tests.reporting.test_projection import state, two_customers


async def test_a_message_sent_is_in_the_feed_and_the_timeline_and_moves_no_figure(reporting: Reporting) -> None:
    books = two_customers()
    await reporting.hear(books)
    before = await state(reporting.database)
    customer = books.events[0].customer_id
    on = date(2021, 5, 4)
    about = {"customer_id": customer, "entity_id": "default", "effective_on": on, "booked_on": on, "sent_on": on}

    books.events.append(NoticeSent(**about, delivery_id=uuid4(), kind="statement", channel="email"))
    await reporting.hear(books)

    assert await state(reporting.database) == before
    kept = (await reporting.get("/v1/events", type="dueward.notice.sent.v1"))["items"]
    assert [each["data"]["kind"] for each in kept] == ["statement"]
    shown = (await reporting.get(f"/v1/customers/{customer}/timeline"))["items"]
    assert ("Sent: statement", "by email") in [(each["title"], each["detail"]) for each in shown]
