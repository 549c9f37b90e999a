"""Who gets in, and how those who do not are told."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from fastapi import APIRouter
from jwt.algorithms import OKPAlgorithm
from pydantic import SecretStr

from shared import tokens
from shared.clock import real_now
from shared.db import Database
from shared.delivery import Subscriptions
from shared.http import security
from shared.http.app import create_app
from shared.http.security import KeyAddress, KeyFile, Keys, KeysUnavailable, TokenVerifier, Unauthenticated
from shared.service import Service
from shared.settings import ServiceSettings
from shared.ticks import Ticks
from tests.shared.http_app import READ, WRITE, Caller, things
from tests.shared.test_http_problems import problem


@pytest.fixture
async def caller(database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with things(database, tmp_path) as each:
        yield each


async def ask(caller: Caller, token: str) -> httpx.Response:
    return await caller.client.get("/v1/things", headers={"authorization": f"Bearer {token}"})


async def test_without_a_token_nobody_gets_in(caller: Caller):
    response = await caller.client.get("/v1/things")
    problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="dueward"'


async def test_a_caller_is_refused_before_the_body_is_read(caller: Caller):
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    problem(await caller.client.post("/v1/things", content=b"not json", headers=headers), 401, "unauthenticated")


async def test_an_expired_token_is_refused(caller: Caller):
    response = await ask(caller, caller.token(seconds=-60))
    assert "expired" in problem(response, 401, "unauthenticated")["detail"]
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_a_token_seen_before_is_checked_again_once_it_expires(tmp_path: Path):
    key_set = tokens.make_keys(tmp_path)
    verifier = TokenVerifier(Keys(KeyFile(key_set)), tokens.ISSUER, leeway_s=0)
    lasting = tokens.make_token(tmp_path, "anna")
    expiring = tokens.make_token(tmp_path, "anna", life=timedelta(seconds=4))
    await verifier.verify(lasting)
    await verifier.verify(expiring)
    expires_at = jwt.decode(expiring, options={"verify_signature": False})["exp"]
    while real_now().timestamp() < expires_at:
        await asyncio.sleep(0.05)
    assert (await verifier.verify(lasting)).subject == "anna"
    with pytest.raises(Unauthenticated, match="expired"):
        await verifier.verify(expiring)


async def test_a_token_for_another_audience_is_refused(caller: Caller):
    response = await ask(caller, caller.token(audience="elsewhere"))
    assert "audience" in problem(response, 401, "unauthenticated")["detail"]


async def test_a_token_of_another_issuer_is_refused(caller: Caller):
    response = await ask(caller, caller.token(issuer="https://elsewhere"))
    assert "issuer" in problem(response, 401, "unauthenticated")["detail"]


async def test_a_token_without_the_scope_is_403_and_names_it(caller: Caller):
    response = await caller.add("a", scopes=READ)
    assert WRITE in problem(response, 403, "forbidden")["detail"]
    assert f'error="insufficient_scope", scope="{WRITE}"' in response.headers["www-authenticate"]


async def test_a_tampered_token_is_refused(caller: Caller):
    head, claims, signature = caller.token(scopes=READ).split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    problem(await ask(caller, ".".join((head, claims, flipped))), 401, "unauthenticated")
    problem(await ask(caller, "nonsense"), 401, "unauthenticated")
    response = await caller.client.get("/v1/things", headers={"authorization": "Basic YTpi"})
    problem(response, 401, "unauthenticated")


def claims_of(caller: Caller) -> dict:
    return jwt.decode(caller.token(), options={"verify_signature": False})


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(caller: Caller):
    head, claims = ({"alg": "HS256", "typ": "at+jwt"}, claims_of(caller))
    signed = b".".join(base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (head, claims))
    secret = (caller.keys / tokens.KEY_SET_FILE).read_bytes()
    mac = base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
    forged = (signed + b"." + mac).decode()
    assert "ES256 or EdDSA" in problem(await ask(caller, forged), 401, "unauthenticated")["detail"]


async def test_an_unsigned_token_is_refused(caller: Caller):
    forged = jwt.encode(claims_of(caller), "", algorithm="none", headers={"typ": "at+jwt"})
    problem(await ask(caller, forged), 401, "unauthenticated")


async def test_another_kind_of_token_of_the_same_issuer_is_refused(caller: Caller):
    key = (caller.keys / tokens.KEY_FILE).read_bytes()
    plain = jwt.encode(claims_of(caller), key, algorithm="ES256", headers={"typ": "JWT"})
    assert "at+jwt" in problem(await ask(caller, plain), 401, "unauthenticated")["detail"]


async def test_a_token_without_a_claim_it_needs_is_refused(caller: Caller):
    key_id = jwt.get_unverified_header(caller.token())["kid"]
    claims = claims_of(caller)
    del claims["exp"]
    key = (caller.keys / tokens.KEY_FILE).read_bytes()
    eternal = jwt.encode(claims, key, algorithm="ES256", headers={"typ": "at+jwt", "kid": key_id})
    assert "exp" in problem(await ask(caller, eternal), 401, "unauthenticated")["detail"]


async def test_a_new_signing_key_is_found_and_an_old_one_forgotten(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    published = tmp_path / "jwks.json"
    published.write_bytes(tokens.make_keys(first).read_bytes())
    verifier = TokenVerifier(Keys(KeyFile(published), refresh_pause_s=0), tokens.ISSUER)
    old = tokens.make_token(first, "anna")
    assert (await verifier.verify(old)).subject == "anna"

    published.write_bytes(tokens.make_keys(second).read_bytes())
    assert (await verifier.verify(tokens.make_token(second, "ben"))).subject == "ben"
    with pytest.raises(Unauthenticated, match="does not know"):
        await verifier.verify(old)


async def test_an_ed25519_key_is_taken(tmp_path: Path):
    private = ed25519.Ed25519PrivateKey.generate()
    public = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    file = tmp_path / "jwks.json"
    file.write_bytes(orjson.dumps({"keys": [{**public, "kid": "ed"}]}))
    now = int(real_now().timestamp())
    claims = {"iss": tokens.ISSUER, "aud": ["dueward", "x"], "sub": "anna", "iat": now, "exp": now + 60, "scope": READ}
    token = jwt.encode(claims, private, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": "ed"})
    principal = await TokenVerifier(Keys(KeyFile(file)), tokens.ISSUER).verify(token)
    assert principal.scopes == {READ}


async def test_keys_that_cannot_be_read_are_503(caller: Caller, tmp_path: Path):
    token = tokens.make_token(tmp_path, "anna")
    for source in (KeyFile(tmp_path / "absent.json"), KeyAddress("http://127.0.0.1:1/jwks"), security.NoKeys()):
        with pytest.raises(KeysUnavailable):
            await TokenVerifier(Keys(source), tokens.ISSUER).verify(token)


def test_a_route_without_a_scope_does_not_start():
    router = APIRouter()

    @router.get("/open-by-mistake")
    async def forgotten() -> None: ...

    service = Service("things", "Things.", Subscriptions("things", ()), Ticks(), (router,))
    settings = ServiceSettings(database_url="x", kafka_bootstrap_servers="x", session_secret=SecretStr("s"))
    with pytest.raises(RuntimeError, match="open-by-mistake"):
        create_app(service, settings)


def test_a_misspelt_scope_does_not_start():
    with pytest.raises(ValueError, match="invoice:read"):
        security.scope("invoice:read")


# Pages.


def path_of(link: str) -> str:
    return link.removeprefix("http://things.test")


async def test_a_page_sends_strangers_to_sign_in(caller: Caller):
    response = await caller.client.get("/page?day=1")
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in?next=/page%3Fday%3D1"
    assert "sign-in link" in (await caller.client.get("/sign-in")).text


async def test_a_sign_in_link_works_once(caller: Caller):
    link = path_of(tokens.make_link(caller.keys, "http://things.test", "anna", READ, name="Anna", to="/page"))
    response = await caller.client.get(link)
    assert response.status_code == 303
    assert response.headers["location"] == "/page"
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (await caller.client.get("/page")).text == "<p>hello Anna</p>"
    problem(await caller.client.get(link), 403, "sign-in-link-unusable")
    page = await caller.client.get(link, headers={"accept": "text/html"})
    assert "a link works once" in page.text


async def test_an_old_sign_in_link_is_refused(caller: Caller):
    link = path_of(tokens.make_link(caller.keys, "http://things.test", life=timedelta(seconds=-60)))
    problem(await caller.client.get(link), 403, "sign-in-link-unusable")
    access = caller.token()
    problem(await caller.client.get(f"/sign-in/{access}"), 403, "sign-in-link-unusable")


async def test_a_sign_in_link_fits_a_line_of_a_terminal(caller: Caller):
    assert len(tokens.make_link(caller.keys, "http://127.0.0.1:8004")) <= 80


async def test_a_sign_in_link_opens_what_it_says_and_no_more(caller: Caller):
    await caller.client.get(path_of(tokens.make_link(caller.keys, "http://things.test", "anna", WRITE)))
    problem(await caller.client.get("/v1/things"), 403, "forbidden")


async def test_a_sign_in_link_that_was_changed_or_is_another_installations_is_refused(caller: Caller, tmp_path: Path):
    link = path_of(tokens.make_link(caller.keys, "http://things.test", "anna", READ))
    code = link.rpartition("/")[2]
    signed = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    for place in range(len(signed)):
        changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
        assert caller.app.state.sessions.read_link(base64.urlsafe_b64encode(changed).decode().rstrip("=")) is None
    foreign = path_of(tokens.make_link(tmp_path / "elsewhere", "http://things.test"))
    for path in (foreign, link[:-4], "/sign-in/x", "/sign-in/%ff", f"{link}%C3%A4"):
        problem(await caller.client.get(path), 403, "sign-in-link-unusable")
    assert (await caller.client.get(link)).status_code == 303


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"])
async def test_a_sign_in_link_leads_nowhere_else(caller: Caller, elsewhere: str):
    link = path_of(tokens.make_link(caller.keys, "http://things.test"))
    response = await caller.client.get(link, params={"next": elsewhere})
    assert response.headers["location"] == "/"


async def test_a_session_reads_the_api_and_changes_it_from_our_own_pages_only(caller: Caller):
    await caller.client.get(path_of(tokens.make_link(caller.keys, "http://things.test", "anna")))
    assert (await caller.client.get("/v1/things")).status_code == 200

    async def add(**headers: str) -> httpx.Response:
        sent = {"idempotency-key": "k", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await caller.client.post("/v1/things", json={"name": "a"}, headers=sent)

    problem(await add(), 403, "forbidden")
    problem(await add(sec_fetch_site="cross-site"), 403, "forbidden")
    problem(await add(origin="https://evil.test"), 403, "forbidden")
    assert (await add(sec_fetch_site="same-origin")).status_code == 201
    assert (await add(origin="http://things.test")).headers["idempotency-replayed"] == "true"


async def test_signing_out_ends_the_session(caller: Caller):
    await caller.client.get(path_of(tokens.make_link(caller.keys, "http://things.test", "anna")))
    assert "Sign out" in (await caller.client.get("/sign-in")).text
    problem(await caller.client.post("/sign-out"), 403, "forbidden")
    await caller.client.post("/sign-out", headers={"sec-fetch-site": "same-origin"})
    assert (await caller.client.get("/page")).status_code == 303


async def test_a_session_of_another_secret_is_not_taken(caller: Caller):
    name = caller.app.state.sessions.cookie_name
    forged = jwt.encode({"sub": "anna", "client_id": "pages", "scope": READ, "exp": 2**33}, "x" * 32, algorithm="HS256")
    caller.client.cookies.set(name, forged)
    assert (await caller.client.get("/page")).status_code == 303
