"""Signing in to the pages: a session cookie, opened by a one-time link.

A link is a short-lived code signed with the installation's session secret, made by `python -m shared.tokens link`, and
works once; it is short enough for a line of a terminal. Whoever puts an identity provider in front of the pages checks
its answer in a route of its own and calls `Sessions.open`: the rest of the house knows only the cookie.
"""

import binascii
import hmac
import html
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated
from urllib.parse import quote, urlsplit

import jwt
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from shared import log
from shared.clock import real_now
from shared.db import Database
from shared.http.problems import PAGE, HttpFault
from shared.http.security import SCOPES, Forbidden, Principal, ScopeCheck, Unauthenticated, same_origin

logger = log.get(__name__)

LINK_MAC_BYTES = 16
LINK_TIME_BYTES = 4
LINK_NONCE_BYTES = 6
ALL_SCOPES = "all"
SESSION_TYPE = "session+jwt"
SESSION_SECONDS = 12 * 3600


class LinkUnusable(HttpFault):
    status = 403
    slug = "sign-in-link-unusable"
    title = "This sign-in link does not work any more"


class SignInNeeded(Exception):
    """A page was asked for by somebody who has not signed in: they are sent to `/sign-in`."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a one-time link says: who signs in, with which scopes (blank-separated, or `all`), until when (Unix time).

    Its code is base64url of MAC, time, nonce and text: HMAC-SHA256 cut to 128 bits, over everything after it.
    """

    id: str
    subject: str
    scopes: str
    name: str
    expires_at: int

    @property
    def principal(self) -> Principal:
        names = SCOPES if self.scopes == ALL_SCOPES else self.scopes.split()
        return Principal(self.subject, "pages", frozenset(names), self.name)


class Sessions:
    """Cookies and links signed with the installation's secret; nothing is kept on the server."""

    def __init__(self, secret: str | None) -> None:
        if secret is None:
            logger.warning("session_secret_not_set", consequence="sessions and cursors end with this process")
            secret = secrets.token_urlsafe(48)
        self._secret = sha256(b"dueward session\0" + secret.encode()).digest()
        self._link_key = sha256(b"dueward sign-in link\0" + secret.encode()).digest()
        self.cursor_key = sha256(b"dueward cursor\0" + secret.encode()).digest()
        # Browsers share cookies between the ports of a host: two installations on one machine must not clash.
        self.cookie_name = "dueward_session_" + sha256(self._secret).hexdigest()[:6]

    def open(self, response: Response, principal: Principal, *, https: bool) -> None:
        """Sign the principal in: the response carries the cookie."""
        expires_at = int(real_now().timestamp()) + SESSION_SECONDS
        claims = {
            "sub": principal.subject,
            "client_id": principal.client_id,
            "name": principal.name,
            "scope": " ".join(sorted(principal.scopes)),
            "exp": expires_at,
        }
        cookie = jwt.encode(claims, self._secret, algorithm="HS256", headers={"typ": SESSION_TYPE})
        response.set_cookie(
            self.cookie_name, cookie, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=https
        )

    def of(self, request: Request) -> Principal | None:
        """Who the request's cookie says is signed in."""
        cookie = request.cookies.get(self.cookie_name)
        if cookie is None:
            return None
        try:
            claims = jwt.decode(cookie, self._secret, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        except jwt.PyJWTError:
            return None
        return Principal(claims["sub"], claims["client_id"], frozenset(claims["scope"].split()), claims.get("name"))

    def link_code(self, subject: str, scopes: str, name: str, expires_at: int) -> str:
        """The code of a new link."""
        text = "\0".join((subject, scopes) if name == subject else (subject, scopes, name))
        body = expires_at.to_bytes(LINK_TIME_BYTES, "big") + secrets.token_bytes(LINK_NONCE_BYTES) + text.encode()
        return urlsafe_b64encode(self._link_mac(body) + body).rstrip(b"=").decode()

    def read_link(self, code: str) -> Link | None:
        """What a code says, None when it is not one of this installation's. It may be too old, or used."""
        try:
            signed = urlsafe_b64decode(code + "=" * (-len(code) % 4))
        except (binascii.Error, ValueError):
            return None
        mac, body = signed[:LINK_MAC_BYTES], signed[LINK_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._link_mac(body)):
            return None
        subject, scopes, *name = body[LINK_TIME_BYTES + LINK_NONCE_BYTES :].decode().split("\0")
        expires_at = int.from_bytes(body[:LINK_TIME_BYTES], "big")
        return Link(mac.hex(), subject, scopes, name[0] if name else subject, expires_at)

    def _link_mac(self, body: bytes) -> bytes:
        return hmac.digest(self._link_key, body, "sha256")[:LINK_MAC_BYTES]

    def close(self, response: Response) -> None:
        response.delete_cookie(self.cookie_name, httponly=True, samesite="lax")


class SignedIn:
    """For pages: `Annotated[Principal, Depends(SignedIn("reports:read"))]`; others are sent to sign in."""

    def __init__(self, *needed: str) -> None:
        self._check = ScopeCheck(needed)

    async def __call__(self, request: Request) -> Principal:
        try:
            await self._check(request)
        except Unauthenticated:
            if request.method == "GET":
                raise SignInNeeded from None
            raise
        return request.scope["dueward.principal"]


async def sign_in_needed(request: Request, _: Exception) -> Response:
    path = request.scope["path"]
    query = request.scope["query_string"].decode("latin-1")
    wanted = f"{path}?{query}" if query else path
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}", 303)


router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def explain_sign_in(request: Request) -> HTMLResponse:
    """How to get in."""
    principal = request.app.state.sessions.of(request)
    if principal is not None:
        body = (
            f"<p>You are signed in as <b>{html.escape(principal.name or principal.subject)}</b>.</p>"
            '<form method="post" action="/sign-out"><button>Sign out</button></form>'
        )
        return HTMLResponse(PAGE.format(title="Signed in", body=body))
    body = (
        "<p>Open the sign-in link that was printed when the stack was started. A link works once and for a short "
        "time; <code>make link</code> prints a new one.</p>"
    )
    return HTMLResponse(PAGE.format(title="Sign in to Dueward", body=body))


@router.get("/sign-in/{code}")
async def sign_in(request: Request, code: str, next: str = "/") -> Response:
    """Use a one-time link: open the session, and go on to the page that was wanted."""
    sessions: Sessions = request.app.state.sessions
    link = sessions.read_link(code)
    if link is None or link.expires_at < real_now().timestamp():
        raise LinkUnusable("it is too old, or was not copied whole; `make link` prints a new one")
    if not await _use_link(request.app.state.database, link):
        raise LinkUnusable("it has been used already, and a link works once; `make link` prints a new one")
    response = RedirectResponse(_local_path(next), 303)
    sessions.open(response, link.principal, https=request.url.scheme == "https")
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    if not same_origin(request):
        raise Forbidden("signing out works from this site's own pages")
    response = RedirectResponse("/sign-in", 303)
    request.app.state.sessions.close(response)
    return response


async def _use_link(database: Database, link: Link) -> bool:
    """Whether this was the link's first use. The row is kept until the link would have expired anyway."""
    used = await database.pool.fetchval(
        """
        with forgotten as (delete from sign_in_link where expires_at < now() - interval '1 day')
        insert into sign_in_link (id, expires_at) values ($1, to_timestamp($2))
        on conflict (id) do nothing returning id
        """,
        link.id,
        link.expires_at,
    )
    return used is not None


def _local_path(wanted: str) -> str:
    """Only a path of this site: a link must not send anybody elsewhere."""
    parts = urlsplit(wanted)
    local = not parts.scheme and not parts.netloc and wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if local else "/"


async def _session_or_none(request: Request) -> Principal | None:
    return request.app.state.sessions.of(request)


SessionDep = Annotated[Principal | None, Depends(_session_or_none)]
