"""What stands for the gateways and hooks of others: small real HTTP servers, true to their public documents."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import uvicorn

from deploy.local import embedded
from tests.reminder.desk import wait_until

PATIENCE_S = 20.0
"""For an answer that comes: on a busy machine it may take its time."""
WITHOUT_ANSWER = httpx.Timeout(PATIENCE_S, read=0.5)
"""The `timeout` of a client whose call nobody is going to answer."""


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Listener:
    """Keeps every call and gives the answer that the test wants next, or the usual one. Told to `hang`, it reads the
    call and says nothing."""

    usual: Callable[[Call], tuple[int, bytes]]
    calls: list[Call] = field(default_factory=list)
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    hang: bool = False
    url: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def then(self, status: int, body: Any = b"", **headers: str) -> None:
        text = body if isinstance(body, bytes) else orjson.dumps(body)
        self.answers.append((status, text, {name.replace("_", "-"): value for name, value in headers.items()}))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = Call(scope["path"], headers, body)
        self.calls.append(call)
        if self.hang:
            await self.released.wait()
            return
        status, text, extra = self.answers.pop(0) if self.answers else (*self.usual(call), {})
        raw = [(b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in extra.items())]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": text})


SMS_CALLBACK_URL = "https://reminder.example/callbacks/twilio"
WEBHOOK_SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes ..." + b"x").decode()

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "an-auth-token", "+15005550006"

# The numbers of Twilio's test credentials, https://www.twilio.com/docs/iam/test-credentials.
MAGIC = {
    "+15005550001": (21211, "The 'To' number +15005550001 is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number +15005550002 is not currently reachable via SMS."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for this region."),
    "+15005550004": (21610, "The message From/To pair violates a blacklist rule."),
    "+15005550009": (21614, "To number: +15005550009, is not a mobile number."),
}


def twilio(call: Call) -> tuple[int, bytes]:
    """What Twilio's Messages resource answers."""
    credentials = b64decode(call.headers.get("authorization", "").removeprefix("Basic ")).decode()
    if credentials != f"{ACCOUNT}:{TOKEN}":
        return 401, orjson.dumps({"code": 20003, "message": "Authenticate", "status": 401})
    assert call.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    form = call.form
    if fault := MAGIC.get(form["To"]):
        return 400, orjson.dumps({"code": fault[0], "message": fault[1], "more_info": "https://…", "status": 400})
    sid = f"SM{len(form['Body']):032x}"
    made = {"sid": sid, "status": "queued", "to": form["To"], "from": form.get("From"), "num_segments": "1"}
    return 201, orjson.dumps({**made, "error_code": None, "error_message": None})


def sign_as_twilio(address: str, form: Mapping[str, str], token: str) -> str:
    """The header X-Twilio-Signature of a call."""
    text = address + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()


@asynccontextmanager
async def listening(usual: Callable[[Call], tuple[int, bytes]]) -> AsyncIterator[Listener]:
    listener, port = Listener(usual), embedded.free_port()
    config = uvicorn.Config(listener, port=port, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    await wait_until(lambda: server.started)
    listener.url = f"http://127.0.0.1:{port}"
    try:
        yield listener
    finally:
        listener.released.set()
        server.should_exit = True
        await serving
