"""Signing in to the pages: a session cookie, opened by a one-time link.

A link is a short-lived token of type `sign-in+jwt` made by `python -m shared.tokens link`, and works once. Whoever
puts an identity provider in front of the pages checks its answer in a route of its own and calls `Sessions.open`: the
rest of the house knows only the cookie.
"""

import html
import secrets
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
from shared.http.security import Forbidden, Principal, ScopeCheck, Unauthenticated, same_origin

logger = log.get(__name__)

LINK_TYPE = "sign-in+jwt"
LINK_AUDIENCE = "dueward-sign-in"
SESSION_TYPE = "session+jwt"
SESSION_SECONDS = 12 * 3600


class LinkUnusable(HttpFault):
    status = 403
    slug = "sign-in-link-unusable"
    title = "This sign-in link does not work any more"


class SignInNeeded(Exception):
    """A page was asked for by somebody who has not signed in: they are sent to `/sign-in`."""


class Sessions:
    """Cookies signed with the installation's secret; nothing is kept on the server."""

    def __init__(self, secret: str | None) -> None:
        if secret is None:
            logger.warning("session_secret_not_set", consequence="sessions and cursors end with this process")
            secret = secrets.token_urlsafe(48)
        self._secret = sha256(b"dueward session\0" + secret.encode()).digest()
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


@router.get("/sign-in/{token}")
async def sign_in(request: Request, token: str, next: str = "/") -> Response:
    """Use a one-time link: open the session, and go on to the page that was wanted."""
    try:
        claims = await request.app.state.verifier.claims(token, (LINK_TYPE,), LINK_AUDIENCE)
    except Unauthenticated:
        raise LinkUnusable("it is too old, or was not copied whole; `make link` prints a new one") from None
    if not await _use_link(request.app.state.database, str(claims.get("jti", "")), float(claims["exp"])):
        raise LinkUnusable("it has been used already, and a link works once; `make link` prints a new one")
    principal = Principal(
        subject=claims["sub"],
        client_id="pages",
        scopes=frozenset(str(claims.get("scope", "")).split()),
        name=claims.get("name"),
    )
    response = RedirectResponse(_local_path(next), 303)
    request.app.state.sessions.open(response, principal, https=request.url.scheme == "https")
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    if not same_origin(request):
        raise Forbidden("signing out works from this site's own pages")
    response = RedirectResponse("/sign-in", 303)
    request.app.state.sessions.close(response)
    return response


async def _use_link(database: Database, link_id: str, expires_at: float) -> bool:
    """Whether this was the link's first use. The row is kept until the link would have expired anyway."""
    used = await database.pool.fetchval(
        """
        with forgotten as (delete from sign_in_link where expires_at < now() - interval '1 day')
        insert into sign_in_link (id, expires_at) values ($1, to_timestamp($2))
        on conflict (id) do nothing returning id
        """,
        link_id,
        expires_at,
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
