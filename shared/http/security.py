"""Who is calling, and what may they do: bearer tokens (RFC 9068) and the pages' session cookie.

A route names its scopes: `dependencies=[scope("invoices:write")]`. `create_app` refuses to start with a `/v1` route
that names none and is not `PUBLIC`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

import httpx
import jwt
import orjson
from fastapi import Depends, Request, params

from shared import log
from shared.clock import real_now
from shared.http.problems import HttpFault

logger = log.get(__name__)

AUDIENCE = "dueward"
ALGORITHMS = ("ES256", "EdDSA")
ACCESS_TOKEN_TYPES = ("at+jwt", "application/at+jwt")
SCOPES = {
    "customers:read": "Customers and their contacts",
    "customers:write": "Onboard and change customers",
    "credit:read": "Limits, exposure and decisions",
    "credit:write": "Assess, decide, hold and set limits",
    "credit:approve": "Approve limits that others ask for, let blocked orders pass",
    "invoices:read": "Invoices, balances and the journal",
    "invoices:write": "Issue, import, dispute and change invoices",
    "invoices:approve": "Approve the write-offs that others ask for",
    "payments:read": "Payments and where they were applied",
    "payments:write": "Record, apply and reverse payments",
    "reminders:read": "Cases, contacts, strategies and the worklist",
    "reminders:write": "Change strategies and act on cases",
    "reminders:approve": "Approve the offers and placements that others ask for, and set what may be agreed",
    "reports:read": "Reports, the event feed and timelines",
    "reports:write": "Set alert rules, acknowledge alerts, have reports sent",
    "webhooks:write": "Have events sent to other systems",
    "operations:read": "See parked events",
    "operations:write": "Retry and skip parked events, replay the event log",
    "simulation:write": "Set the simulated clock",
}

LEEWAY_SECONDS = 10.0
CACHED_TOKENS_MAX = 1_024
KEYS_MAX_AGE_SECONDS = 600.0
REFRESH_PAUSE_SECONDS = 10.0
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Unauthenticated(HttpFault):
    status = 401
    slug = "unauthenticated"
    title = "A valid access token is needed"


class Forbidden(HttpFault):
    status = 403
    slug = "forbidden"
    title = "The token does not allow this"


class KeysUnavailable(HttpFault):
    status = 503
    slug = "keys-unavailable"
    title = "Tokens cannot be checked just now"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: `subject` is a person or a service, `scopes` what they may do here."""

    subject: str
    client_id: str
    scopes: frozenset[str]
    name: str | None = None

    @property
    def key(self) -> str:
        """Tells one caller's idempotency keys from another's."""
        return f"{self.client_id}/{self.subject}"


def invalid_token(why: str) -> Unauthenticated:
    challenge = f'Bearer realm="{AUDIENCE}", error="invalid_token", error_description="{why}"'
    return Unauthenticated(why, headers={"www-authenticate": challenge})


# Signing keys.


class KeySource(Protocol):
    async def load(self) -> Mapping[str, Any]:
        """The JSON Web Key Set as it is now. Raises OSError, httpx.HTTPError or ValueError."""
        ...


@dataclass(frozen=True)
class KeyFile:
    path: Path

    async def load(self) -> Mapping[str, Any]:
        return orjson.loads(await asyncio.to_thread(self.path.read_bytes))


@dataclass(frozen=True)
class KeyAddress:
    url: str

    async def load(self) -> Mapping[str, Any]:
        async with httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
            response = await client.get(self.url)
            response.raise_for_status()
            return orjson.loads(response.content)


class NoKeys:
    """Neither JWKS_FILE nor JWKS_URL is set: no token can be valid."""

    async def load(self) -> Mapping[str, Any]:
        raise ValueError("neither JWKS_FILE nor JWKS_URL is set")


def key_source(file: Path | None, url: str | None) -> KeySource:
    if file:
        return KeyFile(file)
    return KeyAddress(url) if url else NoKeys()


class Keys:
    """The issuer's public keys by id: read again when a token names an unknown one (at most every 10 seconds), and
    every 10 minutes, so that a withdrawn key stops being trusted."""

    def __init__(self, source: KeySource, refresh_pause_s: float = REFRESH_PAUSE_SECONDS) -> None:
        self._source = source
        self._refresh_pause_s = refresh_pause_s
        self._keys: dict[str, jwt.PyJWK] = {}
        self._loaded_at = float("-inf")
        self._tried_at = float("-inf")
        self._loading = asyncio.Lock()
        self.generation = 0

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key, or the only one there is when the token names none. Raises KeysUnavailable."""
        age = _monotonic() - self._loaded_at
        if age > KEYS_MAX_AGE_SECONDS or (key_id is not None and key_id not in self._keys):
            await self._refresh()
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id or "")

    async def _refresh(self) -> None:
        async with self._loading:
            if self._keys and _monotonic() - self._tried_at < self._refresh_pause_s:
                return
            self._tried_at = _monotonic()
            try:
                found = _usable_keys(await self._source.load())
            except (OSError, httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
                logger.warning("signing_keys_unavailable", error=repr(error))
                if not self._keys:
                    raise KeysUnavailable("the issuer's signing keys cannot be read") from error
                return
            if set(found) != set(self._keys):
                self.generation += 1
            self._keys, self._loaded_at = found, _monotonic()


def _usable_keys(document: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    found: dict[str, jwt.PyJWK] = {}
    for each in document["keys"]:
        if each.get("use", "sig") == "sig" and each.get("kty") in ("EC", "OKP"):
            key = jwt.PyJWK(each)
            if key.algorithm_name in ALGORITHMS:
                found[str(each.get("kid", ""))] = key
    return found


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


# Access tokens.


class TokenVerifier:
    """Checks signature, type, issuer, audience and time once; a token seen before costs a dictionary look-up."""

    def __init__(self, keys: Keys, issuer: str, leeway_s: float = LEEWAY_SECONDS) -> None:
        self._keys = keys
        self._issuer = issuer
        self._leeway_s = leeway_s
        self._seen: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self._generation = 0

    async def verify(self, token: str) -> Principal:
        """Raises Unauthenticated or KeysUnavailable."""
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._seen.clear()
        if seen := self._seen.get(token):
            expires_at, principal = seen
            if real_now().timestamp() < expires_at:
                self._seen.move_to_end(token)
                return principal
            del self._seen[token]

        claims = await self._claims(token)
        principal = _principal_of(claims)
        self._seen[token] = (float(claims["exp"]), principal)
        if len(self._seen) > CACHED_TOKENS_MAX:
            self._seen.popitem(last=False)
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        """The checked claims of one of our issuer's tokens. Raises Unauthenticated or KeysUnavailable."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise invalid_token("this is not a JSON Web Token") from None
        if str(header.get("typ", "")).lower() not in ACCESS_TOKEN_TYPES:
            raise invalid_token(f"the token's type is not {ACCESS_TOKEN_TYPES[0]}")
        if header.get("alg") not in ALGORITHMS:
            raise invalid_token(f"the token is not signed with {' or '.join(ALGORITHMS)}")
        key_id = header.get("kid")
        key = await self._keys.find(key_id if isinstance(key_id, str) else None)
        if key is None:
            raise invalid_token("the token is signed with a key that this service does not know")
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=self._leeway_s,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise invalid_token("the token has expired") from None
        except jwt.InvalidAudienceError:
            raise invalid_token(f"the token is not for the audience {AUDIENCE}") from None
        except jwt.InvalidIssuerError:
            raise invalid_token("the token is from another issuer") from None
        except jwt.MissingRequiredClaimError as error:
            raise invalid_token(f"the token has no claim {error.claim}") from None
        except jwt.InvalidSignatureError:
            raise invalid_token("the token's signature does not match") from None
        except jwt.ImmatureSignatureError:
            raise invalid_token("the token is not valid yet") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise invalid_token("the token is malformed") from None


def _principal_of(claims: Mapping[str, Any]) -> Principal:
    scope_text = claims.get("scope", "")
    if not isinstance(scope_text, str):
        raise invalid_token("the token's scope is not text")
    return Principal(
        subject=str(claims["sub"]),
        client_id=str(claims.get("client_id", claims["sub"])),
        scopes=frozenset(scope_text.split()),
        name=claims.get("name"),
    )


# Routes.


async def authenticate(request: Request) -> Principal:
    """The caller, by bearer token or else by session cookie. Raises Unauthenticated."""
    known: Principal | None = request.scope.get("dueward.principal")
    if known is not None:
        return known
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise invalid_token("the Authorization header is not of the form Bearer <token>")
        principal = await request.app.state.verifier.verify(token.strip())
    else:
        principal = request.app.state.sessions.of(request)
        if principal is None:
            raise Unauthenticated(
                "send an access token: Authorization: Bearer <token>",
                headers={"www-authenticate": f'Bearer realm="{AUDIENCE}"'},
            )
        if request.method not in SAFE_METHODS and not same_origin(request):
            raise Forbidden("a signed-in browser may change things only from this site's own pages")
    request.scope["dueward.principal"] = principal
    return principal


def same_origin(request: Request) -> bool:
    """Whether a browser says that its request comes from a page of this very address."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] == request.headers.get("host")


class ScopeCheck:
    """Allows callers that hold all of `needed`."""

    def __init__(self, needed: tuple[str, ...]) -> None:
        self.needed = needed
        self._needed = frozenset(needed)

    async def __call__(self, request: Request) -> None:
        principal = await authenticate(request)
        missing = self._needed - principal.scopes
        if missing:
            scopes = " ".join(sorted(self._needed))
            raise Forbidden(
                f"this needs the scope {' and '.join(sorted(missing))}, which the token does not have",
                headers={
                    "www-authenticate": f'Bearer realm="{AUDIENCE}", error="insufficient_scope", scope="{scopes}"'
                },
            )


def scope(*needed: str) -> params.Depends:
    """For a route's or router's `dependencies`: the caller must hold every scope named."""
    unknown = set(needed) - SCOPES.keys()
    if unknown or not needed:
        raise ValueError(f"no such scope: {', '.join(sorted(unknown)) or '(none named)'}")
    return Depends(ScopeCheck(needed))


async def _open_to_all() -> None:
    """Marks a route that checks its caller by itself, such as a signed webhook."""


PUBLIC = Depends(_open_to_all)

PrincipalDep = Annotated[Principal, Depends(authenticate)]
