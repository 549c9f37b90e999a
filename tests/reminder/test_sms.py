"""Short messages: which numbers, how many segments, and what the gateway's answer makes of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local import embedded
from services.reminder.sms import SmsGateway, send_text
from services.reminder.texts.rules import BadNumber, Size, e164, failure_of, keyword, plain, size
from shared.outside import outside_client
from tests.reminder.gateways import ACCOUNT, PATIENCE_S, SENDER, TOKEN, WITHOUT_ANSWER, Listener, listening, twilio

MOBILE = "+491701234567"


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Listener, SmsGateway]]:
    async with listening(twilio) as listener:
        yield listener, SmsGateway(listener.url, ACCOUNT, SENDER, TOKEN, "https://dueward.example/callbacks/twilio")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with outside_client(PATIENCE_S) as client:
        yield client


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+49 170 1234567", "+491701234567"),
        ("+49 (170) 123-45.67", "+491701234567"),
        ("0049 170 1234567", "+491701234567"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_a_number_is_brought_into_international_form(written: str, number: str) -> None:
    assert e164(written) == number


@pytest.mark.parametrize(
    "written", ["", "0170 1234567", "+0 170 1234567", "+123456", "+1234567890123456", "+49 170 CALLME", "٠٠٤٩١٧٠١٢٣٤"]
)
def test_a_number_without_country_code_or_of_wrong_length_is_refused(written: str) -> None:
    with pytest.raises(BadNumber):
        e164(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Size("GSM-7", 0, 1)),
        ("a" * 160, Size("GSM-7", 160, 1)),
        ("a" * 161, Size("GSM-7", 161, 2)),
        ("a" * 306, Size("GSM-7", 306, 2)),
        ("a" * 307, Size("GSM-7", 307, 3)),
        ("€" * 80, Size("GSM-7", 160, 1)),
        ("€" * 81, Size("GSM-7", 162, 2)),
        ("a" * 152 + "€" + "a" * 152, Size("GSM-7", 306, 3)),  # The euro sign does not straddle the two.
        ("ж" * 70, Size("UCS-2", 70, 1)),
        ("ж" * 71, Size("UCS-2", 71, 2)),
        ("ж" * 134, Size("UCS-2", 134, 2)),
        ("ж" * 135, Size("UCS-2", 135, 3)),
        ("😀" * 35, Size("UCS-2", 70, 1)),
        ("😀" * 67, Size("UCS-2", 134, 3)),  # 33 pairs a segment, since the 67th place cannot hold half of one.
    ],
)
def test_segments_below_at_and_above_their_limits(text: str, expected: Size) -> None:
    assert size(text) == expected


@given(st.text(max_size=700))
def test_segments_hold_all_places_and_no_segment_more_than_needed(text: str) -> None:
    found = size(text)
    single, part = (160, 153) if found.encoding == "GSM-7" else (70, 67)
    assert (found.segments == 1) == (found.places <= single)
    assert found.places <= max(single, found.segments * part)


def test_typography_does_not_make_a_message_dearer() -> None:
    assert size("Your invoice – “R-1” …").encoding == "UCS-2"
    assert plain("Your invoice – “R-1” …") == 'Your invoice - "R-1" ...'
    assert size(plain("Your invoice – “R-1” …")).encoding == "GSM-7"


@pytest.mark.parametrize(
    ("body", "told", "meant"),
    [
        ("STOP", "", "stop"),
        (" stop. ", "", "stop"),
        ("Stop all", "", "stop"),
        ("Unsubscribe", "", "stop"),
        ("Stop texting me", "", None),
        ("We paid yesterday, please stop", "", None),
        ("Hör auf", "STOP", "stop"),
        ("START", "", "start"),
        ("HELP", "HELP", None),
        ("", "", None),
    ],
)
def test_only_a_bare_keyword_or_the_gateways_own_word_stops_messages(body: str, told: str, meant: str | None) -> None:
    assert keyword(body, told) == meant


async def test_a_text_is_sent_once_with_a_callback_that_names_its_contact(
    gateway: tuple[Listener, SmsGateway], client: httpx.AsyncClient
) -> None:
    listener, where = gateway
    contact_id = uuid4()
    answer = await send_text(client, where, contact_id, "+49 170 123 45 67", "Invoice R-1 – 100 EUR")
    assert answer.fate == "sent"
    assert answer.provider_id
    assert answer.provider_id.startswith("SM")
    assert listener.calls[0].form == {
        "To": MOBILE,
        "From": SENDER,
        "Body": "Invoice R-1 - 100 EUR",
        "StatusCallback": f"https://dueward.example/callbacks/twilio?contact_id={contact_id}",
    }


async def test_a_messaging_service_takes_the_place_of_a_number(
    gateway: tuple[Listener, SmsGateway], client: httpx.AsyncClient
) -> None:
    listener, where = gateway
    service = SmsGateway(where.url, ACCOUNT, "MG" + "1" * 32, TOKEN)
    await send_text(client, service, uuid4(), MOBILE, "Hello")
    assert listener.calls[0].form == {"To": MOBILE, "MessagingServiceSid": "MG" + "1" * 32, "Body": "Hello"}


@pytest.mark.parametrize(
    ("recipient", "fate", "address_refused", "opted_out"),
    [
        ("+15005550001", "refused", True, False),
        ("+15005550002", "refused", False, False),
        ("+15005550003", "refused", False, False),
        ("+15005550004", "refused", False, True),
        ("+15005550009", "refused", True, False),
        ("0170 1234567", "refused", True, False),
    ],
)
async def test_the_gateways_refusals_by_kind(
    gateway: tuple[Listener, SmsGateway],
    client: httpx.AsyncClient,
    recipient: str,
    fate: str,
    address_refused: bool,
    opted_out: bool,
) -> None:
    answer = await send_text(client, gateway[1], uuid4(), recipient, "Hello")
    assert (answer.fate, answer.address_refused, answer.opted_out) == (fate, address_refused, opted_out)


@pytest.mark.parametrize(
    ("status", "body", "fate"),
    [
        (429, {"code": 20429, "message": "Too Many Requests"}, "deferred"),
        (401, {"code": 20003, "message": "Authenticate"}, "deferred"),
        (404, {"code": 20404, "message": "Not found"}, "deferred"),
        (503, b"<html>busy</html>", "deferred"),
        (400, {"code": 21611, "message": "queue full"}, "refused_for_now"),
        (400, {"code": 99999, "message": "something new"}, "refused"),
        (500, b"", "doubtful"),
        (502, b"<html>bad gateway</html>", "doubtful"),
        (201, b"not json", "doubtful"),
        (201, {"sid": "SM1", "status": "failed", "error_code": 30003}, "refused_for_now"),
        (201, {"sid": "SM1", "status": "failed", "error_code": 30006}, "refused"),
        (201, [1], "doubtful"),
    ],
)
async def test_what_an_answer_makes_of_a_text(
    gateway: tuple[Listener, SmsGateway], client: httpx.AsyncClient, status: int, body: object, fate: str
) -> None:
    listener, where = gateway
    listener.then(status, body)
    assert (await send_text(client, where, uuid4(), MOBILE, "Hello")).fate == fate


async def test_the_gateway_says_how_long_it_wants_to_be_left_alone(
    gateway: tuple[Listener, SmsGateway], client: httpx.AsyncClient
) -> None:
    listener, where = gateway
    listener.then(429, {"code": 20429, "message": "Too Many Requests"}, retry_after="7")
    assert (await send_text(client, where, uuid4(), MOBILE, "Hello")).retry_after_seconds == 7


async def test_a_call_that_was_written_and_not_answered_is_in_doubt(
    gateway: tuple[Listener, SmsGateway], client: httpx.AsyncClient
) -> None:
    listener, where = gateway
    listener.hang, client.timeout = True, WITHOUT_ANSWER
    answer = await send_text(client, where, uuid4(), MOBILE, "Hello")
    assert answer.fate == "doubtful"
    assert len(listener.calls) == 1


async def test_a_connection_cut_after_the_call_leaves_it_in_doubt(client: httpx.AsyncClient) -> None:
    async def hear_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"Body=Hello")
        writer.close()

    server = await asyncio.start_server(hear_and_hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        where = SmsGateway(f"http://127.0.0.1:{port}", ACCOUNT, SENDER, TOKEN)
        assert (await send_text(client, where, uuid4(), MOBILE, "Hello")).fate == "doubtful"


async def test_a_gateway_that_is_not_there_has_sent_nothing(client: httpx.AsyncClient) -> None:
    where = SmsGateway(f"http://127.0.0.1:{embedded.free_port()}", ACCOUNT, SENDER, TOKEN)
    assert (await send_text(client, where, uuid4(), MOBILE, "Hello")).fate == "deferred"


async def test_a_text_that_is_too_long_is_not_sent_at_all(
    gateway: tuple[Listener, SmsGateway], client: httpx.AsyncClient
) -> None:
    listener, where = gateway
    assert (await send_text(client, where, uuid4(), MOBILE, "a" * 1_600)).fate == "sent"
    assert (await send_text(client, where, uuid4(), MOBILE, "a" * 1_601)).fate == "refused"
    assert len(listener.calls) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [(30003, "temporary"), (30005, "number"), (30007, "permanent"), (21610, "opted_out"), (1, None), (None, None)],
)
def test_error_codes_by_kind(code: int | None, kind: str | None) -> None:
    assert failure_of(code) == kind
