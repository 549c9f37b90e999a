"""Steps that go out as text messages, to the team's chat and to other systems, over real gateways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from services.reminder.chat import ChatSender
from services.reminder.outbound_webhook import Endpoint, WebhookSender
from services.reminder.sms import SmsGateway, SmsSender
from services.reminder.texts.rules import size
from shared import webhooks
from shared.clock import real_now
from shared.outside import outside_client
from tests.reminder.books import ADA
from tests.reminder.desk import Desk
from tests.reminder.gateways import (
    ACCOUNT,
    PATIENCE_S,
    SENDER,
    TOKEN,
    WEBHOOK_SECRET,
    WITHOUT_ANSWER,
    Listener,
    listening,
    twilio,
)
from tests.reminder.test_callbacks import twilio as call_back

DUE = date(2026, 2, 1)

LADDER = """\
name: default
title: Other channels
steps:
  - {name: ask, days_from_due: 1, channels: [CHANNELS], tone: friendly, template: first-reminder}
  - {name: again, days_from_due: 5, channels: [CHANNELS], tone: firm, template: firm-reminder}
"""


@dataclass
class Outside:
    client: httpx.AsyncClient
    sms: Listener
    chat: Listener
    webhook: Listener

    def answers(self, listener: Listener, does: bool) -> None:
        listener.hang = not does
        self.client.timeout = httpx.Timeout(PATIENCE_S) if does else WITHOUT_ANSWER


@pytest.fixture
async def outside(desk: Desk) -> AsyncIterator[Outside]:
    """The desk's senders, over gateways that listen."""
    async with AsyncExitStack() as stack:
        sms = await stack.enter_async_context(listening(twilio))
        chat = await stack.enter_async_context(listening(lambda _: (200, b"ok")))
        webhook = await stack.enter_async_context(listening(lambda _: (204, b"")))
        client = await stack.enter_async_context(outside_client(PATIENCE_S))
        keys = [webhooks.key_of(WEBHOOK_SECRET)]
        senders = {
            **desk.resources.senders,
            "sms": SmsSender(client, SmsGateway(sms.url, ACCOUNT, SENDER, TOKEN), PATIENCE_S),
            "chat": ChatSender(client, "slack", f"{chat.url}/services/T/B/x", PATIENCE_S),
            "webhook": WebhookSender(client, Endpoint(f"{webhook.url}/in", keys, private=True), PATIENCE_S),
        }
        desk.resources = replace(desk.resources, senders=senders)
        yield Outside(client, sms, chat, webhook)


async def overdue(desk: Desk, channels: str, phone: str = "+49 170 1234567") -> str:
    """A customer whose first step is due on the next morning; returns its id."""
    document = LADDER.replace("CHANNELS", channels)
    answer = await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    assert answer.status_code == 200, answer.text
    await desk.set_clock(datetime(2026, 2, 1, 20, tzinfo=UTC))
    customer = await desk.onboard(contacts=(ADA.model_copy(update={"phone": phone}),))
    await desk.issue(customer, DUE)
    return str(customer.id)


async def last(desk: Desk, channel: str) -> dict[str, Any]:
    return [contact for contact in await desk.contacts() if contact["channel"] == channel][-1]


async def test_a_step_goes_to_the_phone_the_team_and_the_other_system(desk: Desk, outside: Outside) -> None:
    customer_id = await overdue(desk, "sms, chat, webhook")
    await desk.until(date(2026, 2, 2))

    [text] = outside.sms.calls
    assert text.form["To"] == "+491701234567"
    assert "100,00 €" in text.form["Body"]
    assert size(text.form["Body"]).encoding == "GSM-7"
    [note] = outside.chat.calls
    assert note.json["text"].startswith("Acme GmbH: ")
    [told] = outside.webhook.calls
    contact = await last(desk, "webhook")
    assert told.headers["webhook-id"] == contact["id"]
    assert webhooks.is_signed(told.headers, told.body, [webhooks.key_of(WEBHOOK_SECRET)], real_now())
    assert (told.json["type"], told.json["data"]["customer_id"]) == ("reminder.due", customer_id)
    assert told.json["data"]["invoices"] == [
        {"number": "R-1", "due_on": "2026-02-01", "collectable": {"amount": "100.00", "currency": "EUR"}}
    ]
    assert "pay.example" not in told.body.decode()
    assert {c["status"] for c in await desk.contacts()} == {"sent"}


async def test_a_text_that_may_have_left_is_never_sent_again(desk: Desk, outside: Outside) -> None:
    outside.answers(outside.sms, False)
    await overdue(desk, "sms")
    await desk.until(date(2026, 2, 3))
    contact = await last(desk, "sms")
    assert (contact["status"], contact["reason"]) == ("unknown", "there was no answer in time")
    assert [task["kind"] for task in (await desk.get("/v1/tasks"))["items"]] == ["fate_unknown"]
    assert len(outside.sms.calls) == 1
    assert (await desk.get(f"/v1/cases/{contact['customer_id']}"))["level"] == 1


async def test_the_providers_word_settles_whether_a_text_left(desk: Desk, outside: Outside) -> None:
    outside.answers(outside.sms, False)
    await overdue(desk, "sms")
    await desk.until(date(2026, 2, 2))
    doubtful = await last(desk, "sms")
    for _ in range(2):
        await call_back(desk, doubtful["id"], MessageStatus="delivered")
    settled = await last(desk, "sms")
    assert (doubtful["status"], settled["status"]) == ("unknown", "sent")
    assert (await desk.get("/v1/tasks", status="open"))["items"] == []
    assert (await desk.types()).count("reminder.sent") == 1
    assert (await desk.get(f"/v1/cases/{settled['customer_id']}"))["level"] == 1


async def test_a_busy_gateway_is_left_alone_for_as_long_as_it_asks(desk: Desk, outside: Outside) -> None:
    outside.sms.then(429, {"code": 20429, "message": "Too Many Requests"}, retry_after="600")
    await overdue(desk, "sms")
    await desk.until(date(2026, 2, 2))
    contact = await last(desk, "sms")
    waits = await desk.database.pool.fetchval("select retry_at - now() > interval '9 minutes' from contact")
    assert (contact["status"], waits) == ("planned", True)
    await desk.database.pool.execute("update contact set retry_at = now()")
    await desk.tick()
    assert (await last(desk, "sms"))["status"] == "sent"
    assert len(outside.sms.calls) == 2


async def test_a_customer_who_told_the_gateway_to_stop_gets_no_more_texts(desk: Desk, outside: Outside) -> None:
    customer_id = await overdue(desk, "sms", phone="+15005550004")
    await desk.until(date(2026, 2, 20))
    found = (await desk.get(f"/v1/customers/{customer_id}/opt-outs"))["items"]
    assert [(each["channel"], each["recorded_by"]) for each in found] == [("sms", "provider")]
    assert len(outside.sms.calls) == 1


async def test_a_number_that_cannot_be_texted_is_looked_for_anew(desk: Desk, outside: Outside) -> None:
    await overdue(desk, "sms", phone="+15005550009")
    await desk.until(date(2026, 2, 20))
    assert (await last(desk, "sms"))["status"] in ("failed", "suppressed")
    assert [task["kind"] for task in (await desk.get("/v1/tasks"))["items"]] == ["unreachable"]
    assert len(outside.sms.calls) == 1


async def test_a_call_to_another_system_without_an_answer_is_repeated_under_the_same_id(
    desk: Desk, outside: Outside
) -> None:
    outside.answers(outside.webhook, False)
    await overdue(desk, "webhook")
    await desk.until(date(2026, 2, 2))
    assert (await last(desk, "webhook"))["status"] == "planned"
    outside.answers(outside.webhook, True)
    await desk.database.pool.execute("update contact set retry_at = now()")
    await desk.tick()
    assert (await last(desk, "webhook"))["status"] == "sent"
    first, second = outside.webhook.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.json["data"] == second.json["data"]


async def test_a_hook_that_is_gone_fails_once_and_does_not_hold_the_customers_ladder_up(
    desk: Desk, outside: Outside
) -> None:
    outside.chat.then(404, b"no_service")
    customer_id = await overdue(desk, "chat")
    await desk.until(date(2026, 2, 2))
    [contact] = await desk.contacts()
    assert (contact["status"], contact["reason"]) == ("failed", "the chat answers 404: no_service")
    assert (await desk.get(f"/v1/cases/{customer_id}"))["level"] == 1
    await desk.until(date(2026, 2, 10))
    assert [c["status"] for c in await desk.contacts()] == ["failed", "sent"]


async def test_a_channel_that_nobody_set_up_fails_once(desk: Desk) -> None:
    await overdue(desk, "chat, webhook")
    await desk.until(date(2026, 2, 2))
    told = sorted((c["channel"], c["status"], c["reason"]) for c in await desk.contacts())
    assert told == [
        ("chat", "failed", "no sender of chat is set up"),
        ("webhook", "failed", "no sender of webhook is set up"),
    ]
