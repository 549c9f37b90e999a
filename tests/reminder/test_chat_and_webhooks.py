"""Messages to the account team's chat and to programs: their forms, and what an answer makes of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import uuid4

import httpx
import pytest

from services.reminder.outbound_webhook import Endpoint, call
from shared import webhooks
from shared.chat import Note, as_blocks, as_card, post_note
from shared.outside import AddressForbidden, check_address, is_public, outside_client, post
from tests.reminder.gateways import PATIENCE_S, WITHOUT_ANSWER, Listener, listening

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEY, OLD_KEY = b"k" * 32, b"o" * 24
NOTE = Note(
    "Acme <!channel> owes", (("Overdue", "EUR 100.00"), ("Says", "[pay](https://evil.example)")), "https://d.x/a"
)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening(lambda _: (200, b"ok")) as listener:
        yield listener


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with outside_client(PATIENCE_S) as client:
        yield client


def test_slack_gets_plain_text_that_mentions_nobody() -> None:
    body = as_blocks(NOTE)
    assert body["text"] == "Acme &lt;!channel&gt; owes"
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "actions"]
    assert {field["type"] for field in body["blocks"][1]["fields"]} == {"plain_text"}
    assert len(as_blocks(Note("t" * 151))["blocks"][0]["text"]["text"]) == 150
    many = as_blocks(Note("t", [("n", "v")] * 12))
    assert [len(block["fields"]) for block in many["blocks"][1:]] == [10, 10, 4]


def test_teams_gets_a_card_in_a_message_without_markdown() -> None:
    message = as_card(NOTE)
    assert message["type"] == "message"
    attachment = message["attachments"][0]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": "https://d.x/a"}]


@pytest.mark.parametrize(
    ("status", "body", "fate", "gone"),
    [
        (200, b"ok", "sent", False),
        (202, b"", "sent", False),
        (400, b"invalid_payload", "refused", False),
        (404, b"no_service", "refused", True),
        (410, b"channel_is_archived", "refused", True),
        (429, b"", "deferred", False),
        (503, b"", "deferred", False),
        (500, b"rollup_error", "doubtful", False),
        (200, b"Webhook message delivery failed with error: endpoint returned HTTP error 429", "deferred", False),
        (200, b"Webhook message delivery failed with error: endpoint returned HTTP error 413", "refused", False),
    ],
)
async def test_what_the_chat_answers(
    listener: Listener, client: httpx.AsyncClient, status: int, body: bytes, fate: str, gone: bool
) -> None:
    listener.then(status, body)
    answer = await post_note(client, "teams", f"{listener.url}/hook", NOTE, private=True)
    assert (answer.fate, answer.address_refused) == (fate, gone)


async def test_a_webhook_is_signed_under_the_contacts_id_each_time_it_is_tried(
    listener: Listener, client: httpx.AsyncClient
) -> None:
    contact_id = uuid4()
    endpoint = Endpoint(f"{listener.url}/in", (KEY, OLD_KEY), private=True)
    listener.then(503)
    first = await call(client, endpoint, contact_id, "reminder.due", NOW, {"step": "first"}, NOW)
    second = await call(
        client, endpoint, contact_id, "reminder.due", NOW, {"step": "first"}, NOW + timedelta(seconds=5)
    )
    assert (first.fate, second.fate) == ("deferred", "sent")
    one, other = listener.calls
    assert one.headers["webhook-id"] == other.headers["webhook-id"] == str(contact_id)
    assert one.body == other.body
    assert one.json == {"type": "reminder.due", "timestamp": "2026-03-02T10:00:00+00:00", "data": {"step": "first"}}
    for key in (KEY, OLD_KEY):
        assert webhooks.is_signed(one.headers, one.body, [key], NOW)
    assert not webhooks.is_signed(one.headers, one.body, [b"x" * 32], NOW)


@pytest.mark.parametrize(
    ("status", "fate", "gone"),
    [(204, "sent", False), (301, "refused_for_now", False), (404, "refused_for_now", False), (410, "refused", True),
     (429, "deferred", False), (500, "deferred", False), (504, "deferred", False)],
)  # fmt: skip
async def test_what_a_receiver_answers(
    listener: Listener, client: httpx.AsyncClient, status: int, fate: str, gone: bool
) -> None:
    listener.then(status, b"", location="https://elsewhere.example/")
    endpoint = Endpoint(f"{listener.url}/in", (KEY,), private=True)
    answer = await call(client, endpoint, uuid4(), "reminder.due", NOW, {}, NOW)
    assert (answer.fate, answer.address_refused) == (fate, gone)


async def test_a_receiver_that_does_not_answer_is_called_again_since_it_can_tell_a_repeat(
    listener: Listener, client: httpx.AsyncClient
) -> None:
    listener.hang, client.timeout = True, WITHOUT_ANSWER
    endpoint = Endpoint(f"{listener.url}/in", (KEY,), private=True)
    assert (await call(client, endpoint, uuid4(), "reminder.due", NOW, {}, NOW)).fate == "deferred"


def test_the_specifications_own_example_is_reproduced() -> None:
    """From the reference libraries' tests."""
    key = webhooks.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = webhooks.signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', [key])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("seconds", "accepted"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_an_old_or_early_signature_is_refused(seconds: int, accepted: bool) -> None:
    headers = webhooks.signed("m1", NOW + timedelta(seconds=seconds), b"{}", [KEY])
    assert webhooks.is_signed(headers, b"{}", [KEY], NOW) is accepted


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "m2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v2," + "A" * 44},
    ],
)
def test_a_forged_call_is_not_signed(change: dict[str, str]) -> None:
    headers = webhooks.signed("m1", NOW, b"{}", [KEY])
    assert webhooks.is_signed(headers, b"{}", [KEY], NOW)
    assert not webhooks.is_signed({**headers, **change}, b"{}", [KEY], NOW)
    assert not webhooks.is_signed(headers, b"{ }", [KEY], NOW)
    assert not webhooks.is_signed(headers, b"{}", [], NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", b64encode(b"k" * 23).decode()])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(webhooks.WeakSecret):
        webhooks.key_of(secret)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
        ("2002:808:808::1", True),
    ],
)
def test_addresses_that_may_be_called(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/in",
        "https://127.0.0.1/in",
        "https://[::1]/in",
        "https://user:word@hooks.example/in",
        "https:///in",
        "ftp://hooks.example",
        "in",
    ],
)
def test_addresses_that_nobody_may_set(url: str) -> None:
    with pytest.raises(AddressForbidden):
        check_address(url)


async def test_a_name_that_leads_home_is_not_called(listener: Listener, client: httpx.AsyncClient) -> None:
    port = listener.url.rpartition(":")[2]
    answer = await post(client, f"https://localhost:{port}/in", private=False, json={})
    assert not isinstance(answer, int)
    assert getattr(answer, "fate", None) == "refused"
    assert listener.calls == []
