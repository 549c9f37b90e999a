"""Cash application: what became of an entry of a bank statement, and how much needs nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.invoice.bank_statements.rules import BankEntry
from services.invoice.invoices.rules import Invoice
from services.invoice.proposals.rules import Basis, Proposal
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

Kind = Literal["receipt", "return", "returned_to_us"]
Status = Literal["open", "automatic", "confirmed", "not_ours"]


class CashApplicationNotFound(NotFound):
    slug = "cash-application-not-found"
    title = "There is no such entry to apply"


class AlreadyDecided(Conflict):
    slug = "cash-already-applied"
    title = "The entry has been decided on already"


class StillOpen(Conflict):
    slug = "cash-not-applied"
    title = "The entry is still to be decided on"


class ProposalOutdated(Conflict):
    """What the proposal settles has changed since, say by another payment; `proposals` are the present ones."""

    slug = "proposal-outdated"
    title = "The proposal does not hold any more"


class ConfirmationRefused(Refused):
    slug = "confirmation-refused"
    title = "The entry cannot be applied like this"


@dataclass(frozen=True, slots=True)
class Application:
    """An entry and what became of it."""

    id: UUID
    version: int
    entity_id: str
    kind: Kind
    status: Status
    amount_minor: int
    currency: str
    booked_on: date
    customer_id: UUID | None
    payment_id: UUID | None
    confidence: int
    basis: Basis
    reason: str
    proposals: tuple[Proposal, ...]

    def proposal(self, proposal_id: str) -> Proposal:
        """Raises ProposalOutdated."""
        for each in self.proposals:
            if each.id == proposal_id:
                return each
        raise ProposalOutdated(
            f"there is no proposal {proposal_id} any more; look at the present ones",
            field="/proposal_id",
            proposals=[each.id for each in self.proposals],
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """An application with the entry it is about, and who decided when."""

    application: Application
    entry: BankEntry
    decided_at: datetime | None
    decided_by: str | None


def opened(application: Application) -> Application:
    """The application itself while it is to be decided on. Raises AlreadyDecided."""
    if application.status != "open":
        said = {"automatic": "applied by itself", "confirmed": "confirmed", "not_ours": "marked as not ours"}
        raise AlreadyDecided(f"the entry was {said[application.status]}", application_status=application.status)
    return application


def holding(proposal: Proposal, invoices: Mapping[UUID, Invoice]) -> Proposal:
    """The proposal itself when its invoices still owe what it settles. Raises ProposalOutdated."""
    for part in proposal.parts:
        invoice = invoices.get(part.invoice_id)
        owed = invoice.balance_minor if invoice else 0
        if invoice is None or invoice.customer_id != proposal.customer_id or part.settles_minor > owed:
            currency = invoice.currency if invoice else "EUR"
            raise ProposalOutdated(
                f"invoice {part.invoice_number} owes {Money(owed, currency)} now, the proposal settles "
                f"{Money(part.settles_minor, currency)} of it: another payment may have come in between",
                invoice_number=part.invoice_number,
            )
    return proposal


# --- how much goes by itself ---


@dataclass(frozen=True, slots=True)
class Share:
    """Entries of one currency by what became of them."""

    currency: str
    status: Status
    entries: int
    amount_minor: int


def rate(part: int, whole: int) -> str | None:
    """A share in percent with two decimals, half-even; None of nothing."""
    if whole == 0:
        return None
    hundredths, twice = divmod(part * 10_000, whole)
    if twice * 2 > whole or (twice * 2 == whole and hundredths % 2):
        hundredths += 1
    return f"{hundredths // 100}.{hundredths % 100:02d}"
