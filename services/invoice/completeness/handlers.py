"""The completeness check: before an invoice is issued, and as a preview."""

from __future__ import annotations

from datetime import date, timedelta

from services.invoice.completeness import rules, store
from services.invoice.completeness.rules import DUPLICATE_DAYS, Policy, Subject
from services.invoice.drafting.rules import Finding
from shared.db import Tx


async def find(tx: Tx, subject: Subject, issued_on: date) -> tuple[Finding, ...]:
    """Everything there is to say of an invoice to be, suspected duplicates included."""
    days = timedelta(DUPLICATE_DAYS)
    similar = await store.similar(
        tx,
        subject.customer.id,
        subject.entity.id,
        subject.priced.currency,
        subject.priced.total_minor,
        issued_on - days,
        issued_on + days,
        subject.reference,
    )
    return rules.check(subject, similar)


async def findings_to_keep(tx: Tx, subject: Subject, issued_on: date, accepted: frozenset[str]) -> tuple[Finding, ...]:
    """What to note of an invoice that is issued now, by the entity's policy. Raises InvoiceIncomplete.

    Only `block` asks the database, for duplicates: what is merely recorded must not slow issuing down.
    """
    policy: Policy = subject.entity.policies.completeness
    if policy == "off":
        return ()
    if policy == "record":
        return rules.check(subject)
    return rules.allowed(await find(tx, subject, issued_on), policy, accepted)
