"""Whose payment it is, and which invoices it goes to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.invoice.cash_application import rules
from services.invoice.cash_application.rules import PayerUnknown, Plan, Wanted
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.payment_references.rules import references_in
from shared.db import Tx
from shared.money import Money


async def payer(tx: Tx, entity_id: str, wanted: Sequence[Wanted], reference: str | None) -> CustomerRef:
    """The customer whose invoices the payment names. Raises PayerUnknown, also when they are several customers'."""
    numbers = [each.number for each in wanted if each.number]
    ids = [each.invoice_id for each in wanted if each.invoice_id]
    if not wanted:
        numbers = await _numbers_in(tx, entity_id, reference)
    found = await invoices.customers_of(tx, entity_id, numbers, ids) if numbers or ids else []
    if len(found) != 1:
        why = "names no invoice that is known" if not found else "names invoices of several customers"
        raise PayerUnknown(f"there is no customer_id, and the payment {why}", field="/customer_id")
    return CustomerRef(customer_id=found[0])


async def _numbers_in(tx: Tx, entity_id: str, reference: str | None) -> list[str]:
    """The words of the reference that may be invoice numbers, and the numbers that its RF references stand for."""
    numbers = rules.tokens(reference)
    if references := references_in(reference):
        found = await invoices.referenced(tx, entity_id, [], references, rules.TOKENS_MAX)
        numbers += [invoice.number for invoice in found]
    return numbers


async def plan_by_itself(tx: Tx, account: Account, amount: Money, reference: str | None) -> Plan:
    """By the reference, else to what is due longest. Raises CurrencyMismatch."""
    customer, entity = account.customer, account.entity
    numbers = await _numbers_in(tx, entity.id, reference)
    candidates = await invoices.payable(tx, customer.id, entity.id, numbers, [], amount.minor)
    return rules.automatic(candidates, numbers, amount, customer.currency)


async def plan_by_request(tx: Tx, account: Account, wanted: Sequence[Wanted], available: Money) -> Plan:
    """As told. Raises AllocationRefused, CurrencyMismatch, OverAllocated."""
    candidates = await _named(tx, account.customer.id, account.entity.id, wanted)
    return rules.by_request(wanted, candidates, available)


async def _named(tx: Tx, customer_id: UUID, entity_id: str, wanted: Sequence[Wanted]) -> list[Invoice]:
    return await invoices.named(
        tx,
        customer_id,
        entity_id,
        [each.number for each in wanted if each.number and not each.invoice_id],
        [each.invoice_id for each in wanted if each.invoice_id],
    )
