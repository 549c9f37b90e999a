"""The completeness check as a preview: what an invoice would come to, and everything it lacks."""

from datetime import date

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.invoice.completeness import handlers
from services.invoice.completeness.rules import Policy, Subject
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.drafting.rules import NOTHING_MORE, Finding, InvoiceIn
from shared.db import reading
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["invoices"])


class CheckOut(BaseModel):
    """`complete` when there is no finding at all; `policy` is what issuing does about those there are."""

    complete: bool
    policy: Policy
    findings: tuple[Finding, ...]
    issue_date: date
    net: Money
    tax: Money
    total: Money


@router.post("/invoices/checks", response_model=CheckOut, dependencies=[scope("invoices:read")])
async def check(body: InvoiceIn, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """What issuing this would say, without issuing it: the totals, every missing field at once, and invoices that may
    be the same. Nothing is kept, so no Idempotency-Key is needed."""
    priced = body.priced()
    ref = CustomerRef(body.customer_id, body.customer_external_id)
    account = await customers.learn_account(database, resources.credit, ref, body.entity_id)
    async with reading(database) as tx:
        subject = Subject(
            priced,
            account.customer,
            account.entity,
            NOTHING_MORE if body.is_plain else body,
            body.reference,
            body.delivery_channel or account.channel,
        )
        issued_on = body.issue_date or account.entity.today(tx.now)
        findings = await handlers.find(tx, subject, issued_on)
    money = {"net": priced.net_minor, "tax": priced.tax_minor, "total": priced.total_minor}
    return respond(
        CheckOut(
            complete=not findings,
            policy=account.entity.policies.completeness,
            findings=findings,
            issue_date=issued_on,
            **{name: Money(minor, priced.currency) for name, minor in money.items()},
        )
    )
