"""Pages for people: one frame for every service, forms that take effect once, refusals shown where they were asked for.

    frame = Frame(Path(__file__).parent / "templates", section="Collections", links=(NavLink("/", "Worklist", "w"),))

    @pages.post("/accounts/{customer_id}/pauses")
    async def pause(request: Request, reader: WriterDep, once: AttemptDep, customer_id: UUID, ...) -> Response:
        return await act(once, work, then=f"/accounts/{customer_id}?said=paused", again=draw)

A frame finds its own templates first and then `page.html`, `page.css` and `parts.html` beside this module.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.db import Tx
from shared.errors import DomainError
from shared.http.desks import INVOICES_SCOPE, Account, same_account
from shared.http.idempotency import OnceOnly, RequestInFlight
from shared.http.security import Principal, authenticate
from shared.words import amount, amounts_in, day_words, days_late, moment_words, money_words, number, words

_SHARED = Path(__file__).parent / "templates"
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)

THEMES = ("light", "dark")
THEME_COOKIE = "dueward_theme"
"""What somebody chose with the button of the frame; without it a page is as the device is."""

SEARCH_SCOPE = "reports:read"
"""Who has it finds a search box on every page; it leads to the reporting service."""


@dataclass(frozen=True, slots=True)
class NavLink:
    """An entry of the page's navigation; with a `scope` only for readers who have it."""

    href: str
    label: str
    key: str
    scope: str | None = None


class Frame:
    """A service's pages. `said` holds what a page may say after something was done, by the word in its address
    (`?said=paused`): nothing else of an address is ever repeated. Templates are
    looked for in its `folders`, the first of them first."""

    def __init__(
        self,
        *folders: Path,
        section: str,
        links: Sequence[NavLink],
        said: Mapping[str, str] | None = None,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self._links = links
        self._said = said or {}
        self._templates = Environment(
            loader=FileSystemLoader([*folders, _SHARED]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            day=day_words,
            moment=moment_words,
            money=money_words,
            amounts=amounts_in,
            number=number,
            words=words,
            late=days_late,
        )
        self._templates.filters.update(filters or {})
        self._templates.globals.update(section=section, amount=amount, attempt=uuid4, **(values or {}))

    def draw(
        self,
        request: Request,
        reader: Principal,
        template: str,
        *,
        refused: DomainError | None = None,
        refresh_seconds: int | None = None,
        account_shown: Account | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """A page; `refused` is why what was asked for on it was not done, `account_shown` what it leads to at the other
        services. Inline scripts bear `nonce`, others do not run."""
        nonce = secrets.token_urlsafe(16)
        state = request.app.state
        reports = str(state.settings.reporting_url) if SEARCH_SCOPE in reader.scopes else ""
        here, scopes = state.service.name, reader.scopes
        page = self._templates.get_template(template).render(
            reader=reader,
            path=request.scope["path"],
            links=[link for link in self._links if link.scope is None or link.scope in reader.scopes],
            refused=refused,
            done=None if refused else self._said.get(request.query_params.get("said", "")),
            refresh_seconds=refresh_seconds,
            theme=theme if (theme := request.cookies.get(THEME_COOKIE)) in THEMES else None,
            nonce=nonce,
            search_url=f"{reports}/search" if reports else None,
            invoice_pages=f"{state.settings.invoice_url}/invoices" if INVOICES_SCOPE in scopes else None,
            same_account=same_account(account_shown, here, scopes, state.settings) if account_shown else [],
            **values,
        )
        headers = {
            "content-security-policy": f"{_POLICY} {reports}; script-src 'nonce-{nonce}'; connect-src 'self'",
            "cache-control": "no-store",
        }
        return HTMLResponse(page, refused.status if refused else 200, headers)


def link(path: str, **query: Any) -> str:
    """An address with what of the query is not empty."""
    kept = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


async def one_attempt(request: Request, attempt: Annotated[UUID, Form()]) -> OnceOnly:
    """The same form sent again with the same content, as by a double click, is the same request."""
    principal = await authenticate(request)
    content = sorted((name, str(value)) for name, value in (await request.form()).multi_items())
    digest = blake2b(repr((request.scope["path"], str(attempt), content)).encode(), digest_size=32)
    return OnceOnly(request.app.state.database, principal.key, f"page-{digest.hexdigest()}", digest.digest())


AttemptDep = Annotated[OnceOnly, Depends(one_attempt)]
"""Forms carry an `attempt` (`parts.once()`): one of them takes effect once."""


async def act(
    once: OnceOnly,
    work: Callable[[Tx], Awaitable[Any]],
    then: str,
    again: Callable[[DomainError], Awaitable[Response]],
) -> Response:
    """Do it and go on to `then`; where a rule forbids it, show the page once more with the reason."""
    try:
        async with once as tx:
            await work(tx)
            return once.answer(303, location=then)
    except RequestInFlight:
        return RedirectResponse(then, 303)
    except DomainError as refused:
        return await again(refused)
