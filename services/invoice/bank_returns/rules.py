"""Returns: which payment money that the bank took back had been, and what is said of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.bank_statements.rules import BankEntry
from services.invoice.entities.rules import CashApplication as Policy
from services.invoice.payments.rules import ReversalKind
from services.invoice.proposals.rules import PROPOSALS_MAX, Judgement, Proposal
from shared.money import Money


@dataclass(frozen=True, slots=True)
class PaidBefore:
    """A payment that came by a bank entry, which a return may take back."""

    payment_id: UUID
    customer_id: UUID
    amount_minor: int
    currency: str
    booked_on: date
    end_to_end_id: str | None
    mandate_id: str | None
    party_iban: str | None
    reversed: bool


def judge_return(entry: BankEntry, before: Sequence[PaidBefore], policy: Policy) -> Judgement:
    """Which payment a return takes back: the one with its end-to-end id, else its mandate, else its account, and its
    amount. Banks add their charges to what they take back."""
    proposals = sorted(
        (each for paid in before if (each := _taken_back(entry, paid)) is not None), key=lambda each: -each.confidence
    )
    if not proposals:
        return Judgement((), False, "no payment is known that this return could belong to")
    first, rest = proposals[0], proposals[1:]
    if rest and rest[0].confidence == first.confidence:
        proposals = [
            Proposal(each.confidence - 20, each.basis, each.reason, each.customer_id, payment_id=each.payment_id)
            if each.confidence == first.confidence
            else each
            for each in proposals
        ]
        first = proposals[0]
    return Judgement(
        tuple(proposals[:PROPOSALS_MAX]), first.confidence >= policy.auto_match_confidence_min, first.reason
    )


def _taken_back(entry: BankEntry, paid: PaidBefore) -> Proposal | None:
    if paid.currency != entry.currency or paid.booked_on > entry.booked_on:
        return None
    exact = entry.amount_minor in (paid.amount_minor, paid.amount_minor + entry.charges_minor)
    if not exact and not (entry.end_to_end_id and paid.amount_minor < entry.amount_minor):
        return None
    if entry.end_to_end_id and entry.end_to_end_id == paid.end_to_end_id:
        confidence, same = 99, f"end-to-end id {entry.end_to_end_id}"
    elif entry.mandate_id and entry.mandate_id == paid.mandate_id and exact:
        confidence, same = 95, f"mandate {entry.mandate_id}"
    elif entry.party_iban and entry.party_iban == paid.party_iban and exact:
        confidence, same = 92, f"account {entry.party_iban}"
    else:
        return None
    if not exact:
        confidence -= 15
    what = "which has been reversed already" if paid.reversed else "which it takes back"
    short = "" if exact else f"; the bank took {Money(entry.amount_minor - paid.amount_minor, entry.currency)} more"
    return Proposal(
        confidence,
        "return",
        f"the payment of {Money(paid.amount_minor, paid.currency)} of {paid.booked_on} has the same {same}, "
        f"{what}{short}",
        paid.customer_id,
        payment_id=paid.payment_id,
    )


def return_reason(entry: BankEntry) -> str:
    """What is noted with the payment taken back."""
    said = " ".join(part for part in (entry.reason, entry.remittance) if part)
    return f"returned by the bank on {entry.booked_on}" + (f": {said}" if said else "")


def charge_reason(entry: BankEntry) -> str:
    return "returned payment" + (f" ({entry.reason})" if entry.reason else "")


_CLAIMED_BACK = {"MD01", "MD06", "FOCR", "DUPL", "FRAD"}
"""ISO 20022 return reasons of a payer who asks for the money: no mandate, refund within eight weeks, recalls."""


def return_kind(entry: BankEntry) -> ReversalKind:
    """Whether the payer claimed the money back, or it was never there (account closed, no funds, and the rest)."""
    return "charged_back" if entry.reason in _CLAIMED_BACK else "bounced"
