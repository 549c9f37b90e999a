"""What a customer answers lands on its case, which rests until a person has looked and said why it pays late."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.reminder.inbound.rules import BYTES_MAX
from services.reminder.links.rules import key_of, reply_address
from shared import webhooks
from shared.clock import real_now
from tests.reminder.books import Customer
from tests.reminder.desk import Desk
from tests.reminder.gateways import WEBHOOK_SECRET
from tests.reminder.test_inbound_mails import mail, report
from tests.service_client import post, problem

FEBRUARY = date(2026, 2, 1)
KEY = webhooks.key_of(WEBHOOK_SECRET)


async def deliver(desk: Desk, raw: bytes, *, key: bytes = KEY, as_json: bool = False) -> httpx.Response:
    """As the mail provider does."""
    body = b'{"raw": "%s"}' % b64encode(raw) if as_json else raw
    headers = webhooks.signed(str(uuid4()), real_now(), body, [key])
    kind = "application/json" if as_json else "message/rfc822"
    headers = {**headers, "content-type": kind, "authorization": ""}
    return await desk.http.post("/callbacks/inbound-mail", content=body, headers=headers)


async def reminded(desk: Desk, **changes: Any) -> dict[str, Any]:
    """A customer that has got its first reminder; returns that contact."""
    await desk.set_clock(datetime(2026, 2, 1, 20, tzinfo=UTC))
    customer = await desk.onboard(**changes)
    await desk.issue(customer, FEBRUARY)
    await desk.until(date(2026, 2, 2))
    return (await desk.contacts(customer_id=str(customer.id), status="sent"))[-1]


async def kinds_of_tasks(desk: Desk) -> list[str]:
    return [task["kind"] for task in (await desk.get("/v1/tasks", status="open"))["items"]]


async def test_a_reply_stops_reminders_until_somebody_has_looked_and_said_why(desk: Desk) -> None:
    contact = await reminded(desk)
    answered = await deliver(desk, mail(In_Reply_To=f"<{contact['id']}@northwind.example>"))
    assert (answered.status_code, answered.json()["status"]) == (200, "open")
    await desk.until(date(2026, 2, 20))
    assert await desk.sent() == [("2026-02-02", "first-reminder")]
    case = await desk.get(f"/v1/cases/{contact['customer_id']}")
    assert [hold["kind"] for hold in case["holds"]] == ["replied"]
    assert await kinds_of_tasks(desk) == ["reply"]

    [reply] = (await desk.get("/v1/replies", status="open"))["items"]
    assert (reply["body"], reply["sender"], reply["contact_id"]) == (
        "We pay on Friday.",
        "ada@acme.example",
        contact["id"],
    )
    done = await post(
        desk.http, f"/v1/replies/{reply['id']}/done", {"reason": "approval_pending", "remark": "CFO away"}
    )
    assert (done.status_code, done.json()["status"], done.json()["done_by"]) == (200, "done", "anna")
    await desk.until(date(2026, 2, 22))

    assert [step for _, step in await desk.sent()] == ["first-reminder", "second-reminder"]
    assert await kinds_of_tasks(desk) == []
    types = await desk.types()
    assert "reply.received" in types
    assert "reply.done" in types
    told = next(event for event in await desk.published() if event["type"] == "reply.received")
    assert "Friday" not in str(told["data"])
    assert "ada@" not in str(told["data"])


async def test_reasons_are_counted_by_segment_over_the_days_on_which_they_were_found_out(desk: Desk) -> None:
    async def found_out(day: int, segment: str, reason: str) -> Customer:
        customer = await desk.onboard(segment=segment)
        await desk.issue(customer, FEBRUARY, number=f"R-{day}")
        await desk.until(date(2026, 2, day))
        contact = (await desk.contacts(customer_id=str(customer.id)))[-1]
        answered = await deliver(desk, mail(In_Reply_To=f"<{contact['id']}@n.example>"))
        await post(desk.http, f"/v1/replies/{answered.json()['id']}/done", {"reason": reason})
        return customer

    async def counted(first: str, last: str) -> list[tuple[str, str, int]]:
        found = await desk.get("/v1/late-payment-reasons", **{"from": first, "to": last})
        return [(each["segment"], each["reason"], each["replies"]) for each in found["items"]]

    await found_out(2, "small", "cash_flow")
    await found_out(3, "small", "cash_flow")
    customer = await found_out(4, "strategic", "invoice_wrong")
    assert await counted("2026-02-01", "2026-02-28") == [
        ("small", "cash_flow", 2),
        ("strategic", "invoice_wrong", 1),
    ]
    assert await counted("2026-02-03", "2026-02-03") == [("small", "cash_flow", 1)]
    assert await counted("2026-02-05", "2026-02-28") == []
    call = {"outcome": "spoke", "reason": "cash_flow"}
    await post(desk.http, f"/v1/cases/{customer.id}/calls", call)
    (spoken,) = [
        each
        for each in (await desk.get("/v1/late-payment-reasons", **{"from": "2026-02-04", "to": "2026-02-04"}))["items"]
        if each["reason"] == "cash_flow"
    ]
    assert (spoken["segment"], spoken["replies"], spoken["calls"], spoken["customers"]) == ("strategic", 0, 1, 1)
    backwards = await desk.http.get("/v1/late-payment-reasons?from=2026-02-02&to=2026-02-01")
    assert problem(backwards, 422) == "period"


async def test_a_reply_finds_its_case_by_address_thread_or_sender(desk: Desk) -> None:
    contact = await reminded(desk)
    case = await desk.get(f"/v1/cases/{contact['customer_id']}")
    secret = desk.http._transport.app.state.settings.session_secret.get_secret_value()  # type: ignore[attr-defined]
    token = reply_address(key_of(secret), "replies@northwind.example", UUID(case["id"]))
    ways = [
        mail(To=token, From="someone@else.example"),
        mail(References=f"<case-{case['id']}-1@northwind.example>", From="someone@else.example"),
        mail(From="ADA@acme.example"),
    ]
    for raw in ways:
        answered = (await deliver(desk, raw)).json()
        assert answered["status"] == "open"
        reply = await desk.get(f"/v1/replies/{answered['id']}")
        assert reply["customer_id"] == contact["customer_id"]
    tampered = token.replace("+", "+aaaa", 1)
    assert (await deliver(desk, mail(To=tampered, From="x@else.example"))).json()["status"] == "unmatched"


async def test_a_contact_person_who_was_never_written_to_is_known(desk: Desk) -> None:
    customer = await desk.onboard()
    answered = (await deliver(desk, mail(From="ada@ACME.example"))).json()
    reply = await desk.get(f"/v1/replies/{answered['id']}")
    assert (reply["customer_id"], reply["status"]) == (str(customer.id), "open")


async def test_two_customers_with_the_same_address_are_told_apart_by_a_person(desk: Desk) -> None:
    one, _ = await desk.onboard(), await desk.onboard()
    answered = (await deliver(desk, mail())).json()
    assert answered["status"] == "unmatched"
    path = f"/v1/replies/{answered['id']}"
    assigned = await post(desk.http, f"{path}/assignment", {"customer_id": str(one.id)})
    assert (assigned.status_code, assigned.json()["status"]) == (200, "open")
    assert await kinds_of_tasks(desk) == ["reply"]
    again = await post(desk.http, f"{path}/assignment", {"customer_id": str(one.id)})
    assert problem(again, 409) == "reply-matched"
    unknown = await post(desk.http, f"{path}/assignment", {"customer_id": str(uuid4())})
    assert unknown.status_code in (404, 409)


async def test_a_mail_that_comes_twice_is_one_reply(desk: Desk) -> None:
    contact = await reminded(desk)
    raw = mail(In_Reply_To=f"<{contact['id']}@n.example>")
    first = (await deliver(desk, raw)).json()
    second = (await deliver(desk, b"Received: elsewhere\r\n" + raw, as_json=True)).json()
    assert first == second
    assert (await desk.types()).count("reply.received") == 1


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto_Submitted": "auto-replied"}, "out_of_office"),
        ({"Precedence": "bulk"}, "auto_reply"),
        ({"Return_Path": "<>"}, "auto_reply"),
        ({"X_Dueward_Contact": "x"}, None),
    ],
)
async def test_what_a_program_answers_is_noted_and_stops_nothing(
    desk: Desk, headers: dict[str, str], kind: str | None
) -> None:
    contact = await reminded(desk)
    answered = (await deliver(desk, mail(In_Reply_To=f"<{contact['id']}@n.example>", **headers))).json()
    assert (answered["kind"], answered["status"]) == (kind, "noted" if kind else None)
    await desk.until(date(2026, 2, 10))
    assert len(desk.mails()) == 2
    assert await kinds_of_tasks(desk) == []
    assert "reply.received" not in await desk.types()


async def test_a_mail_that_came_back_bounces_its_message_and_its_address_is_not_used_again(desk: Desk) -> None:
    contact = await reminded(desk)
    raw = report().replace(b"018f0000-0000-7000-8000-000000000001", contact["id"].encode())
    answered = (await deliver(desk, raw)).json()
    assert (answered["kind"], answered["status"]) == ("bounce", "noted")
    await deliver(desk, raw)
    await desk.until(date(2026, 2, 20))
    assert len(desk.mails()) == 1
    assert (await desk.types()).count("reminder.bounced") == 1
    assert await kinds_of_tasks(desk) == ["unreachable"]


async def test_a_full_mailbox_is_a_task_and_the_address_goes_on_being_used(desk: Desk) -> None:
    contact = await reminded(desk)
    raw = report("failed", "5.2.2").replace(b"018f0000-0000-7000-8000-000000000001", contact["id"].encode())
    await deliver(desk, raw)
    assert await kinds_of_tasks(desk) == ["bounced"]
    await desk.until(date(2026, 2, 10))
    assert len(desk.mails()) == 2


async def test_an_unreadable_mail_is_kept_on_the_case_that_it_names(desk: Desk) -> None:
    contact = await reminded(desk)
    broken = f"From: ada@acme.example\r\nIn-Reply-To: <{contact['id']}@n.example>\r\n".encode() + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(30)
    )
    answered = (await deliver(desk, broken)).json()
    assert (answered["kind"], answered["status"]) == ("unreadable", "open")
    reply = await desk.get(f"/v1/replies/{answered['id']}")
    assert reply["body"] == "the mail is nested more than 20 parts deep"
    assert await kinds_of_tasks(desk) == ["reply"]


async def test_an_oversized_mail_gets_a_clear_answer(desk: Desk) -> None:
    answered = await deliver(desk, b"x" * (BYTES_MAX * 4 // 3 + 5_000))
    assert problem(answered, 413) == "body-too-large"


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{}", "application/json"), (b'{"raw": "%"}', "application/json"), (b"x", "text/plain")]
)
async def test_a_call_without_a_mail_is_refused(desk: Desk, body: bytes, kind: str) -> None:
    headers = {**webhooks.signed("m", real_now(), body, [KEY]), "content-type": kind}
    answered = await desk.http.post("/callbacks/inbound-mail", content=body, headers=headers)
    assert problem(answered, 400) == "malformed-request"


async def test_a_forged_mail_changes_nothing(desk: Desk) -> None:
    contact = await reminded(desk)
    raw = mail(In_Reply_To=f"<{contact['id']}@n.example>")
    assert problem(await deliver(desk, raw, key=b"another key of enough bytes"), 401) == "webhook-signature"
    unsigned = await desk.http.post("/callbacks/inbound-mail", content=raw)
    assert problem(unsigned, 401) == "webhook-signature"
    assert (await desk.get("/v1/replies"))["items"] == []
    assert await kinds_of_tasks(desk) == []


async def test_a_reply_is_done_once_and_for_a_reason(desk: Desk) -> None:
    contact = await reminded(desk)
    answered = (await deliver(desk, mail(In_Reply_To=f"<{contact['id']}@n.example>"))).json()
    path = f"/v1/replies/{answered['id']}/done"
    assert problem(await post(desk.http, path, {}), 422) == "late-payment-reason"
    assert problem(await post(desk.http, path, {"reason": "bad luck"}), 422) == "invalid-request"
    assert (await post(desk.http, path, {"reason": "other"})).status_code == 200
    assert problem(await post(desk.http, path, {"reason": "other"}), 409) == "reply-over"
    assert problem(await post(desk.http, f"/v1/replies/{uuid4()}/done", {"reason": "other"}), 404) == "reply-not-found"


async def test_what_is_nobodys_can_be_put_aside_without_a_reason(desk: Desk) -> None:
    answered = (await deliver(desk, mail(From="shop@spam.example"))).json()
    done = await post(desk.http, f"/v1/replies/{answered['id']}/done", {"remark": "spam"})
    assert (done.status_code, done.json()["status"]) == (200, "done")
    assert (await desk.get("/v1/replies", status="unmatched"))["items"] == []
