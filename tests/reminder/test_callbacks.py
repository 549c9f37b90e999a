"""What providers tell of messages: proven to be theirs, harmless when repeated, and it settles what they are about."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from services.reminder.callbacks.rules import Inbound, is_signed
from shared import webhooks
from shared.clock import real_now
from tests.reminder.desk import Desk
from tests.reminder.gateways import ACCOUNT, SMS_CALLBACK_URL, TOKEN, WEBHOOK_SECRET, sign_as_twilio
from tests.reminder.test_replies import kinds_of_tasks, reminded
from tests.service_client import problem

KEY = webhooks.key_of(WEBHOOK_SECRET)
MOBILE = "+491701234567"


async def tell(desk: Desk, *events: dict[str, Any], key: bytes = KEY) -> httpx.Response:
    body = orjson.dumps({"events": events})
    headers = {**webhooks.signed(str(uuid4()), real_now(), body, [key]), "content-type": "application/json"}
    return await desk.http.post("/callbacks/mail", content=body, headers=headers)


async def twilio(desk: Desk, contact_id: str | None = None, token: str = TOKEN, **form: str) -> httpx.Response:
    """As Twilio calls: the signature is over the address from outside and the form's fields."""
    query = f"contact_id={contact_id}" if contact_id else ""
    form = {"AccountSid": ACCOUNT, "MessageSid": f"SM{uuid4().hex}", **form}
    address = f"{SMS_CALLBACK_URL}?{query}" if query else SMS_CALLBACK_URL
    headers = {
        "x-twilio-signature": sign_as_twilio(address, form, token),
        "content-type": "application/x-www-form-urlencoded",
    }
    path = f"/callbacks/twilio?{query}" if query else "/callbacks/twilio"
    return await desk.http.post(path, content=urlencode(form), headers=headers)


async def texted(desk: Desk) -> dict[str, Any]:
    """A contact that was sent as a text message, to a number as people write it."""
    contact = await reminded(desk)
    await desk.database.pool.execute(
        "update contact set channel = 'sms', recipient = '+49 170 123-4567' where id = $1", UUID(contact["id"])
    )
    return contact


async def opt_outs(desk: Desk, customer_id: str) -> list[tuple[str, bool]]:
    found = await desk.get(f"/v1/customers/{customer_id}/opt-outs")
    return [(each["channel"], each["ended_at"] is None) for each in found["items"]]


def test_twilios_own_example_is_recognized() -> None:
    """From https://www.twilio.com/docs/usage/webhooks/webhooks-security and the tests of Twilio's libraries."""
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Caller": ["+14158675309"],
        "Digits": ["1234"],
        "From": ["+14158675309"],
        "To": ["+18005551212"],
    }
    inbound = Inbound(sms_token="12345", sms_url="https://mycompany.com/myapp.php")
    signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert is_signed(signature, inbound, "foo=1&bar=2", form)
    assert not is_signed(signature, inbound, "foo=1&bar=3", form)
    assert not is_signed(signature, inbound, "foo=1&bar=2", {**form, "Digits": ["1235"]})
    assert not is_signed("", inbound, "foo=1&bar=2", form)
    assert not is_signed("é", inbound, "foo=1&bar=2", form)
    assert not is_signed(signature, Inbound(sms_token="12346", sms_url=inbound.sms_url), "foo=1&bar=2", form)
    assert not is_signed(signature, Inbound(), "foo=1&bar=2", form)


@pytest.mark.parametrize("signed_for", ["https://r.example/cb", "https://r.example:443/cb"])
@pytest.mark.parametrize("kept_as", ["https://r.example/cb", "https://r.example:443/cb"])
def test_the_standard_port_may_or_may_not_be_in_the_address(signed_for: str, kept_as: str) -> None:
    signature = sign_as_twilio(signed_for, {"A": "1"}, TOKEN)
    assert is_signed(signature, Inbound(sms_token=TOKEN, sms_url=kept_as), "", {"A": ["1"]})


async def test_a_hard_bounce_ends_the_use_of_an_address_and_asks_for_another(desk: Desk) -> None:
    contact = await reminded(desk)
    event = {"contact_id": contact["id"], "event": "bounced", "reason": "no such user", "at": "2026-02-02T10:00:00Z"}
    assert (await tell(desk, event, event)).json() == {"taken": 2, "unknown": []}
    assert (await tell(desk, event)).status_code == 200
    kept = await desk.get(f"/v1/contacts/{contact['id']}")
    assert (kept["bounced_at"] is not None, kept["bounce_reason"]) == (True, "no such user")
    assert (await desk.types()).count("reminder.bounced") == 1
    assert await kinds_of_tasks(desk) == ["unreachable"]
    await desk.until(date(2026, 2, 20))
    assert len(desk.mails()) == 1


async def test_a_complaint_counts_as_a_bounce(desk: Desk) -> None:
    contact = await reminded(desk)
    for _ in range(2):
        await tell(desk, {"contact_id": contact["id"], "event": "complained"})
    kept = await desk.get(f"/v1/contacts/{contact['id']}")
    assert kept["bounce_reason"] == "the recipient called it unwanted"
    assert (await desk.types()).count("reminder.bounced") == 1


async def test_a_passing_bounce_leaves_the_address_in_use(desk: Desk) -> None:
    contact = await reminded(desk)
    await tell(desk, {"contact_id": contact["id"], "event": "bounced", "permanent": False})
    assert await kinds_of_tasks(desk) == ["bounced"]


async def test_what_was_delivered_is_kept_with_the_message(desk: Desk) -> None:
    contact = await reminded(desk)
    await tell(desk, {"contact_id": contact["id"], "event": "delivered"})
    first = await desk.get(f"/v1/contacts/{contact['id']}")
    await desk.set_clock(real_now())
    await tell(desk, {"contact_id": contact["id"], "event": "opened"})
    assert first["delivered_at"] is not None
    assert (await desk.get(f"/v1/contacts/{contact['id']}"))["delivered_at"] == first["delivered_at"]
    assert await kinds_of_tasks(desk) == []


async def test_what_is_told_of_strangers_is_answered_and_changes_nothing(desk: Desk) -> None:
    stranger = str(uuid4())
    answered = await tell(desk, {"contact_id": stranger, "event": "bounced"})
    assert answered.json() == {"taken": 0, "unknown": [stranger]}


async def test_forged_words_change_nothing(desk: Desk) -> None:
    contact = await texted(desk)
    forged = await tell(desk, {"contact_id": contact["id"], "event": "bounced"}, key=b"another key of enough bytes")
    assert problem(forged, 401) == "webhook-signature"
    wrong = await twilio(desk, contact["id"], token="x", MessageStatus="failed", ErrorCode="30006")
    assert problem(wrong, 401) == "webhook-signature"
    other = await twilio(desk, contact["id"], AccountSid="AC" + "9" * 32, MessageStatus="failed")
    assert problem(other, 401) == "webhook-signature"
    stop = await twilio(desk, token="x", From=MOBILE, Body="STOP")
    assert problem(stop, 401) == "webhook-signature"
    assert await kinds_of_tasks(desk) == []
    assert await opt_outs(desk, contact["customer_id"]) == []
    assert "reminder.bounced" not in await desk.types()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"events": []}', b'{"events": [{"event": "bounced"}]}', b"{"])
async def test_words_that_say_nothing_are_refused(desk: Desk, body: bytes) -> None:
    headers = {**webhooks.signed("m", real_now(), body, [KEY]), "content-type": "application/json"}
    assert problem(await desk.http.post("/callbacks/mail", content=body, headers=headers), 422) == "webhook-body"
    assert problem(await twilio(desk), 422) == "webhook-body"


@pytest.mark.parametrize(
    ("status", "code", "tasks", "bounced", "delivered"),
    [
        ("queued", "", [], False, False),
        ("sent", "", [], False, False),
        ("delivered", "", [], False, True),
        ("undelivered", "30003", ["bounced"], True, False),
        ("undelivered", "30006", ["unreachable"], True, False),
        ("failed", "30007", ["bounced"], True, False),
        ("failed", "", ["bounced"], True, False),
        ("failed", "21610", [], False, False),
    ],
)
async def test_what_became_of_a_text_message(
    desk: Desk, status: str, code: str, tasks: list[str], bounced: bool, delivered: bool
) -> None:
    contact = await texted(desk)
    for _ in range(2):
        answered = await twilio(desk, contact["id"], MessageStatus=status, ErrorCode=code)
        assert (answered.status_code, answered.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    kept = await desk.get(f"/v1/contacts/{contact['id']}")
    assert (kept["bounced_at"] is not None, kept["delivered_at"] is not None) == (bounced, delivered)
    assert await kinds_of_tasks(desk) == tasks
    assert await opt_outs(desk, contact["customer_id"]) == ([("sms", True)] if code == "21610" else [])


async def test_stop_ends_text_messages_and_start_takes_it_back(desk: Desk) -> None:
    contact = await texted(desk)
    for _ in range(2):
        assert (await twilio(desk, From=MOBILE, Body="Stop")).status_code == 200
    assert await opt_outs(desk, contact["customer_id"]) == [("sms", True)]
    await twilio(desk, From=MOBILE, Body="START")
    assert await opt_outs(desk, contact["customer_id"]) == [("sms", False)]
    assert (await desk.get("/v1/replies"))["items"] == []


async def test_an_answer_by_text_message_is_a_reply(desk: Desk) -> None:
    contact = await texted(desk)
    for _ in range(2):
        await twilio(desk, From=MOBILE, Body="We pay on Friday", MessageSid="SM1")
    [reply] = (await desk.get("/v1/replies"))["items"]
    assert (reply["channel"], reply["status"], reply["contact_id"]) == ("sms", "open", contact["id"])
    assert reply["body"] == "We pay on Friday"
    assert await kinds_of_tasks(desk) == ["reply"]


async def test_a_text_of_a_stranger_is_kept_for_somebody_who_knows_whose_it_is(desk: Desk) -> None:
    await twilio(desk, From="+15005550006", Body="Who are you?")
    await twilio(desk, From="+15005550006", Body="STOP")
    [reply] = (await desk.get("/v1/replies", status="unmatched"))["items"]
    assert reply["sender"] == "+15005550006"
